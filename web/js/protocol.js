/**
 * The messages between this page and the server: JSON over the WebSocket `/api/meetings/{id}/socket`.
 * Mirrors vmeet_core/protocol.py; a test compares the two. Nothing here touches the document.
 */

/** @typedef {"microphone" | "camera" | "camera-small" | "screen"} SourceKind */
/** @typedef {"publish" | "receive"} Connection */
/** @typedef {"camera" | "screen"} PictureKind */
/** @typedef {"everyone" | "opt-out" | "opt-in"} RecordingChoice who is in a recording */
/** @typedef {"host" | "self" | "unanswered"} LeftOutBy */
/** @typedef {"off" | "starting" | "on" | "interrupted" | "failed"} EffectState */
/** @typedef {{participant_id: string, source: PictureKind, width_px: number, height_px: number}} Picture */

/**
 * A live effect, by the name of its provider.
 * @typedef {{name: string, on: boolean, options: Record<string, unknown>}} Effect
 * @typedef {{filters: Effect[], denoiser: Effect | null}} EffectWishes
 * @typedef {{type: "join", name: string, token?: string | null, host_key?: string | null, effects?: EffectWishes | null, recorded?: boolean | null, told?: boolean}} Join
 * @typedef {{type: "preview", effects: EffectWishes | null}} Preview
 * @typedef {{type: "effects", effects: EffectWishes}} Effects
 * @typedef {{mid: string, source: SourceKind}} SourceSection
 * @typedef {{type: "publish", sdp: string, sources: SourceSection[]}} Publish
 * @typedef {{type: "receive"}} Receive
 * @typedef {{type: "view", pictures: Picture[]}} View
 * @typedef {{type: "chat", text: string}} Chat
 * @typedef {{type: "answer", sdp: string, negotiation: number}} Answer
 * @typedef {{type: "candidate", connection: Connection, candidate: string, mid?: string | null}} Candidate
 * @typedef {{type: "mute", source: SourceKind, muted: boolean}} Mute
 * @typedef {{type: "recording-control", action: "start" | "stop"}} RecordingControl
 * @typedef {{type: "recording-choice", recorded: boolean}} RecordingChosen
 * @typedef {{type: "recording-seen"}} RecordingSeen
 * @typedef {{type: "leave-out", participant_id: string, left_out: boolean}} LeaveOut
 * @typedef {{type: "spoken-language", language: string | null}} SpokenLanguage
 * @typedef {{type: "leave"}} Leave
 * @typedef {{type: "ping", number: number}} Ping
 * @typedef {Join | Preview | Effects | Publish | Receive | View | Chat | Answer | Candidate | Mute | RecordingControl | RecordingChosen
 *   | RecordingSeen | LeaveOut | SpokenLanguage | Leave | Ping} ClientMessage
 */

/**
 * @typedef {object} ParticipantInfo
 * @property {string} id
 * @property {string} name
 * @property {boolean} is_host
 * @property {"waiting" | "previewing" | "in" | "left"} state
 * @property {SourceKind[]} sources those published
 * @property {SourceKind[]} muted those turned off
 * @property {boolean} connected false while nothing is heard of the page
 * @property {boolean} is_stream published by another program (WHIP)
 * @property {EffectState} camera_effects
 * @property {LeftOutBy | null} left_out who keeps this person out of recordings; null: may be recorded
 */
/** @typedef {{number: number, participant_id: string, name: string, text: string, at_s: number}} ChatEntry */
/**
 * How the live captions of a meeting do; "behind": phrases are left out. `languages` are those that a person may speak.
 * @typedef {{state: "starting" | "on" | "behind" | "failed", reason: string | null, title: string, leaves_host: boolean, language: string, languages: string[]}} CaptionsInfo
 * @typedef {{number: number, participant_id: string, name: string, text: string, language: string, start_s: number, end_s: number}} CaptionEntry
 */
/** @typedef {{whip_path: string, whep_path: string, whip_token: string, whep_token: string}} StreamAccess */
/** @typedef {{active: boolean, recording_id: string | null, started_at_s: number | null, started_by: string | null}} RecordingInfo */

/**
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {string} participant_id
 * @property {string} token lets this person come back as the same participant
 * @property {boolean} is_host
 * @property {string} meeting_id
 * @property {string} title
 * @property {ParticipantInfo[]} participants
 * @property {RecordingInfo} recording
 * @property {Record<string, string>[]} ice_servers
 * @property {number} heartbeat_s
 * @property {ChatEntry[]} chat what was written so far
 * @property {string | null} speaker_id who spoke last
 * @property {StreamAccess | null} streams for the host alone
 * @property {RecordingChoice} recording_choice
 * @property {CaptionsInfo | null} captions null: the meeting has none
 * @property {CaptionEntry[]} said the latest of them
 */
/**
 * A pair of media sections and the person heard and seen there.
 * @typedef {object} Slot
 * @property {string | null} audio_mid null for a screen
 * @property {string} video_mid
 * @property {string | null} participant_id null: free
 * @property {PictureKind} source
 * @property {boolean} paused the picture is not sent now
 */
/** @typedef {{source: SourceKind, bitrate_bps: number, loss: number, jitter_s: number, rtt_s: number | null}} SentStatistics */
/**
 * @typedef {object} ReceivedStatistics
 * @property {string} participant_id
 * @property {PictureKind} source
 * @property {"full" | "small" | null} layer null while paused
 * @property {number} temporal 0 is a quarter, 1 half, 2 all of the pictures
 * @property {number} bitrate_bps
 */
/**
 * How well a person is connected: of both directions the worse.
 * @typedef {object} PersonStatistics
 * @property {string} participant_id
 * @property {number} loss
 * @property {number} jitter_s
 * @property {number | null} rtt_s
 * @property {number} sent_bps
 * @property {number} received_bps
 */
/**
 * Every two seconds.
 * @typedef {object} Statistics
 * @property {"statistics"} type
 * @property {number | null} estimate_bps what the server thinks that this page can receive
 * @property {number} received_bps
 * @property {number} received_loss
 * @property {number | null} rtt_s
 * @property {SentStatistics[]} sent
 * @property {ReceivedStatistics[]} received
 * @property {PersonStatistics[]} people
 */
/**
 * How the effects of one source stand; `hides`: the others get what the effects make of it, or a card; `reduced` and
 * `no_room`: the server had room for a small picture only, or failed them since it had none at all.
 * @typedef {{state: EffectState, reason: string | null, hides: boolean, reduced: boolean, no_room: boolean}} SourceEffects
 * @typedef {{type: "effects-changed", filters: Effect[], denoiser: Effect | null, camera: SourceEffects, microphone: SourceEffects}} EffectsChanged
 * @typedef {{type: "previewing", participant_id: string, ice_servers: Record<string, string>[], heartbeat_s: number}} Previewing
 * @typedef {{type: "published", sdp: string}} Published
 * @typedef {{type: "offer", sdp: string, negotiation: number}} Offer
 * @typedef {{type: "slots", slots: Slot[]}} Slots
 * @typedef {{type: "participant", participant: ParticipantInfo}} ParticipantChanged
 * @typedef {{type: "participant-left", participant_id: string, reason: "left" | "lost"}} ParticipantLeft
 * @typedef {{type: "recording", recording: RecordingInfo, reason: string | null}} RecordingChanged
 * @typedef {{type: "speaker", participant_id: string | null}} SpeakerChanged
 * @typedef {{type: "chat-entry", entry: ChatEntry}} ChatReceived
 * @typedef {{type: "captions", captions: CaptionsInfo}} CaptionsChanged
 * @typedef {{type: "caption", entry: CaptionEntry}} CaptionReceived
 * @typedef {{type: "replaced", reason: string}} Replaced
 * @typedef {{type: "error", code: string, message: string, fatal: boolean}} ErrorMessage
 * @typedef {{type: "pong", number: number}} Pong
 * @typedef {Welcome | Previewing | EffectsChanged | Published | Offer | Slots | ParticipantChanged | ParticipantLeft | RecordingChanged
 *   | SpeakerChanged | ChatReceived | CaptionsChanged | CaptionReceived | Statistics | Replaced | ErrorMessage | Pong} ServerMessage
 */

/** @type {ClientMessage["type"][]} */
export const CLIENT_MESSAGES = [
  "join", "preview", "effects", "publish", "receive", "view", "chat", "answer", "candidate", "mute", "recording-control",
  "recording-choice", "recording-seen", "leave-out", "spoken-language", "leave", "ping",
];

/** @type {ServerMessage["type"][]} */
export const SERVER_MESSAGES = [
  "welcome", "previewing", "effects-changed", "published", "offer", "slots", "participant", "participant-left", "recording", "speaker",
  "chat-entry", "captions", "caption", "statistics", "replaced", "error", "pong",
];

export const ERROR_CODES = [
  "bad-message", "too-large", "unknown-meeting", "bad-sdp", "not-joined", "not-host", "recording-failed", "full",
  "too-fast", "stream-refused", "bad-effects", "bad-language", "no-choice", "internal",
];

export const MAX_NAME_CHARS = 64;
export const MAX_CHAT_CHARS = 2000;
export const MAX_PICTURES = 64;
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * @param {string} data
 * @returns {ServerMessage | null} null when this is no message that we know
 */
export function parseServerMessage(data) {
  try {
    const message = JSON.parse(data);
    return SERVER_MESSAGES.includes(message?.type) ? message : null;
  } catch {
    return null;
  }
}

/** A name as the server takes it: what it would refuse is left out. @param {string} text */
export function cleanName(text) {
  const characters = Array.from(text.normalize("NFC").replace(NOT_IN_NAMES, "").trim());
  return characters.slice(0, MAX_NAME_CHARS).join("").trim();
}
