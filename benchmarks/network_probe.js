// What this page sends, receives and hears: see network_probe.py.
{
  const probe = { me: "", slots: [], sources: [], left: [], levels: {}, statistics: null };
  window.networkProbe = probe;
  const connections = new Set();
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      connections.add(this);
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
    }
    send(data) {
      const message = JSON.parse(data);
      if (message.type === "publish") probe.sources = message.sources;
      super.send(data);
    }
  };
  const hear = (message) => {
    if (message.type === "welcome") probe.me = message.participant_id;
    if (message.type === "slots") probe.slots = message.slots;
    if (message.type === "participant-left") probe.left.push(message.participant_id);
    if (message.type === "statistics") probe.statistics = message;
  };
  const open = () => {
    for (const each of connections) if (each.signalingState === "closed") connections.delete(each);
    return [...connections];
  };
  probe.receivers = () => open().flatMap((each) => each.getReceivers());
  const reports = async (type) => {
    const byMid = {};
    for (const each of open()) {
      for (const report of (await each.getStats()).values()) {
        if (report.type === type && report.mid !== undefined) byMid[report.mid] = report;
      }
    }
    return byMid;
  };
  probe.look = async () => {
    const [outbound, inbound] = [await reports("outbound-rtp"), await reports("inbound-rtp")];
    const sent = Object.fromEntries(probe.sources.map(({ mid, source }) => [source, outbound[mid] ?? {}]));
    const received = {};
    for (const { participant_id, audio_mid, video_mid, source, paused } of probe.slots) {
      if (!participant_id || (source ?? "camera") !== "camera") continue;
      const video = inbound[video_mid] ?? {};
      received[participant_id] = { paused: Boolean(paused), audio: inbound[audio_mid] ?? {}, video };
    }
    const { me, left, statistics } = probe;
    return { at_s: performance.now() / 1000, me, left, statistics, sent, received };
  };
  probe.listen = () => {
    const all = open().flatMap((each) => each.getTransceivers());
    const receiving = all.filter((each) => each.currentDirection === "recvonly");
    const byMid = new Map(receiving.map((each) => [each.mid, each.receiver.track]));
    for (const { participant_id, audio_mid } of probe.slots) {
      if (participant_id && audio_mid) follow(participant_id, byMid.get(audio_mid));
    }
  };
  const follow = async (person, track) => {
    const levels = (probe.levels[person] = []);
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length;
      levels.push([value.timestamp / 1e6, Math.sqrt(power)]);
      value.close();
    }
  };
}
