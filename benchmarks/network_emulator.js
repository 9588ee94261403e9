// Sends a page's checks and media to the relays, and tells the server none of the page's own addresses, so that the
// server can answer only through them.
(() => {
  let own = RTCPeerConnection.prototype;
  while (!Object.hasOwn(own, "localDescription")) own = Object.getPrototypeOf(own);
  const { setRemoteDescription, addIceCandidate } = own;
  const moved = async (line) => {
    const parts = line.split(" ");
    if (!/^(a=)?candidate:/.test(line) || !/^udp$/i.test(parts[2])) return line;
    const [ip, port] = await window.relayAddress(parts[4], Number(parts[5]));
    return [...parts.slice(0, 4), ip, port, ...parts.slice(6)].join(" ");
  };
  own.setRemoteDescription = async function (description) {
    const lines = await Promise.all(description.sdp.split("\r\n").map(moved));
    return setRemoteDescription.call(this, { type: description.type, sdp: lines.join("\r\n") });
  };
  own.addIceCandidate = async function (candidate) {
    if (!candidate?.candidate) return addIceCandidate.call(this, candidate);
    return addIceCandidate.call(this, { ...candidate, candidate: await moved(candidate.candidate) });
  };
  const { addEventListener } = EventTarget.prototype;
  own.addEventListener = function (type, ...rest) {
    if (type !== "icecandidate") addEventListener.call(this, type, ...rest);
  };
  Object.defineProperty(own, "onicecandidate", { set() {}, get: () => null });
  const local = Object.getOwnPropertyDescriptor(own, "localDescription").get;
  Object.defineProperty(own, "localDescription", {
    get() {
      const description = local.call(this);
      const sdp = description?.sdp.replace(/a=candidate:[^\r\n]*\r\n/g, "");
      return description && new RTCSessionDescription({ type: description.type, sdp });
    },
  });
})();
