// Checks the syntax of PowerShell files with the tree-sitter grammar of PowerShell, where no PowerShell is at hand.
//
//   node check.mjs FILE...       exit code 1 and one line an error, if a file has any
//   node check.mjs --self-test   proves that sound code passes and that broken code is refused
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { Language, Parser } from "web-tree-sitter";

const require = createRequire(import.meta.url);
await Parser.init();
const parser = new Parser();
parser.setLanguage(
  await Language.load(readFileSync(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"))),
);

// The places of `text` that the grammar has no rule for, as {line, column, problem}.
function syntaxErrors(text) {
  const errors = [];
  const visit = (node) => {
    if (node.isError || node.isMissing) {
      const { row, column } = node.startPosition;
      const problem = node.isMissing ? `missing ${node.type}` : `unexpected ${JSON.stringify(node.text.slice(0, 60))}`;
      errors.push({ line: row + 1, column: column + 1, problem });
    } else if (node.hasError) {
      node.children.forEach(visit);
    }
  };
  const tree = parser.parse(text.replace(/^\uFEFF/, "").replace(/\r\n/g, "\n"));
  visit(tree.rootNode);
  tree.delete();
  return errors;
}

function selfTest(files) {
  const sound = [
    "function Get-Twice([int]$Value) {\n    return 2 * $Value\n}\n",
    "try {\n    & $tool @arguments\n} catch {\n    Write-Host \"failed: $($_.Exception.Message)\"\n} finally {\n    Pop-Location\n}\n",
    "switch ($Verb) {\n    'build' { Invoke-Build }\n    default { exit 2 }\n}\n",
  ];
  const broken = [
    "function Get-Twice([int]$Value) {\n    return 2 * $Value\n",
    "if ($a -eq 1 {\n    exit 2\n}\n",
    "foreach ($x in @(1, 2) {\n}\n",
    "$a = \"no end\n",
    "try {\n    exit 1\n}}\n",
  ];
  // The real scripts too: each must be refused once a brace of it is lost, or one too many is there.
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    broken.push(text.slice(0, text.lastIndexOf("}")), text + "}\n");
  }
  const wrong = [
    ...sound.filter((text) => syntaxErrors(text).length > 0),
    ...broken.filter((text) => syntaxErrors(text).length === 0),
  ];
  for (const text of wrong) {
    console.error(`self-test: judged wrongly:\n${text.slice(-400)}`);
  }
  console.log(`self-test: ${sound.length} sound and ${broken.length} broken scripts, ${wrong.length} judged wrongly`);
  return wrong.length === 0;
}

const [first, ...rest] = process.argv.slice(2);
let good = true;
if (first === "--self-test") {
  good = selfTest(rest);
} else if (first === undefined) {
  console.error("usage: node check.mjs FILE... | --self-test [FILE...]");
  good = false;
} else {
  for (const file of [first, ...rest]) {
    const errors = syntaxErrors(readFileSync(file, "utf8"));
    for (const { line, column, problem } of errors) {
      console.error(`${file}:${line}:${column}: ${problem}`);
    }
    good &&= errors.length === 0;
    console.log(`${file}: ${errors.length === 0 ? "syntax ok" : `${errors.length} syntax errors`}`);
  }
}
process.exit(good ? 0 : 1);
