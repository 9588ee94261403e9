/** Calls back when this machine may have come to another network, or back to one. Returns what ends that. @param {() => void} callback */
export function onNetworkChange(callback) {
  const connection = /** @type {{connection?: EventTarget}} */ (globalThis.navigator ?? {}).connection; // Chromium only
  globalThis.addEventListener?.("online", callback);
  connection?.addEventListener?.("change", callback);
  return () => {
    globalThis.removeEventListener?.("online", callback);
    connection?.removeEventListener?.("change", callback);
  };
}
