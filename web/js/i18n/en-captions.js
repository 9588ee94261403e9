/** The texts of live captions in English. */
export default {
  "choice.live_transcriber": "Captions",
  "choice.live_transcriber-hint": "Writes down what is said during the meeting, for everyone in it to read.",

  "captions.told": "What is said here is written down, and everyone can read it ({title}).",
  "captions.told-away": "What is said here is sent to another service ({title}), written down, and everyone can read it.",
  "captions.not-kept": "Captions are not kept. Those who are left out of a recording are captioned, too. Nothing is heard of a microphone that is off.",
  "captions.open": "Language",
  "captions.badge": "Captions",
  "captions.badge-starting": "Captions are being prepared",
  "captions.badge-behind": "Captions: some are missing",
  "captions.badge-failed": "No captions",
  "captions.failed": "There are no captions at the moment. The meeting goes on, and they come back when they can.",
  "captions.behind": "The server is too slow for all captions: some are left out.",
  "captions.said": "What was said",
  "captions.nothing-said": "Nothing yet. What people say appears here.",
  "captions.language": "You speak",
  "captions.language-meeting": "As the meeting has it: {language}",

  "toolbar.captions-show": "Show captions (T)",
  "toolbar.captions-hide": "Hide captions (T)",
  "toolbar.said": "What was said (W)",
  "help.captions": "Captions on or off",
  "help.said": "What was said",
};
