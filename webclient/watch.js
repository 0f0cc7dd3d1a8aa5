// When another try to connect may fare better than the last, and when a connection may have died without a word.

/**
 * Wakes when the browser has a network again, and when its user comes back to the page.
 * @param {() => void} wake
 */
export function watchBrowser(wake) {
  const { document } = globalThis;
  if (typeof document === "undefined") return () => {}; // no browser
  const seen = () => {
    if (document.visibilityState === "visible") wake();
  };
  globalThis.addEventListener("online", wake);
  document.addEventListener("visibilitychange", seen);
  return () => {
    globalThis.removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", seen);
  };
}
