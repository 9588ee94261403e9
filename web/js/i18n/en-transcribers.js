/** The options of transcribers, in English. */

export default {
  "option.whisper-beam_size": "Thoroughness",
  "option.whisper-beam_size-hint": "How many readings of a phrase are followed at once: more are a little better and slower.",
  "option.whisper-names": "Expect names",
  "option.whisper-names-hint": "Spells the names of the people in the meeting as they are written there.",
  "option.whisper-text_before": "Mind what was said before",
  "option.whisper-text_before-hint": "At times better, but a mistake may repeat itself.",
  "option.whisper-word_times": "Times of words",
  "option.whisper-word_times-hint": "Keeps when each word is said, not only each phrase.",
  "option.whisper-guard": "Nothing invented",
  "option.whisper-guard-hint": "Leaves out what seems to be made up: where there is no voice, loops, credits of subtitles.",
  "option.whisper-expected": "Expected languages",
  "option.whisper-expected-hint": "Where the language is detected: only among these, such as zh, en, ja; empty: among all.",
};
