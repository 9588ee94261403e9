// Instead of the microphone: a tone that nothing takes for noise.
{
  const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const stream = video ? await getUserMedia({ video }) : new MediaStream();
    if (!audio) return stream;
    const context = (window.toneContext ??= new AudioContext());
    const tone = new OscillatorNode(context, { frequency: 440 });
    const sway = new OscillatorNode(context, { frequency: 3 });
    const sink = new MediaStreamAudioDestinationNode(context);
    sway.connect(new GainNode(context, { gain: 60 })).connect(tone.frequency);
    tone.connect(new GainNode(context, { gain: 0.3 })).connect(sink);
    tone.start();
    sway.start();
    stream.addTrack(sink.stream.getAudioTracks()[0]);
    return stream;
  };
}
