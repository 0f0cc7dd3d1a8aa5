// The admin API, with the token that it may ask for.

const tokenKey = "admin-token"; // of this tab only

/** An answer that is no success; status 0: there was none. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function setToken(token) {
  sessionStorage.setItem(tokenKey, token);
}

/** Asks, and returns what the answer's JSON is; null if it has none. */
export async function ask(method, path, body) {
  const headers = {};
  const token = sessionStorage.getItem(tokenKey);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(10_000),
    });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
  const text = await answer.text();
  let value = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    // The status says enough.
  }
  if (!answer.ok) throw new ApiError(answer.status, value?.error ?? `the server answered ${answer.status}`);
  return value;
}
