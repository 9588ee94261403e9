/** The shapes of the REST interface, for the type checker alone. */

/** @typedef {"frame_filters" | "video_enhancers" | "transcribers" | "denoisers"} Kind */

/**
 * The part of JSON Schema that pydantic writes for flat models of options.
 * @typedef {object} Schema
 * @property {string} [type]
 * @property {string} [title]
 * @property {string} [description]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {unknown} [default]
 * @property {unknown[]} [enum]
 * @property {unknown} [const]
 * @property {Schema[]} [anyOf]
 * @property {Schema[]} [allOf]
 * @property {string} [$ref]
 * @property {Record<string, Schema>} [$defs]
 * @property {string} [format]
 * @property {string} [pattern]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [exclusiveMinimum]
 * @property {number} [exclusiveMaximum]
 * @property {number} [multipleOf]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 */

/**
 * @typedef {object} Provider
 * @property {string} name
 * @property {string} title
 * @property {string} licence
 * @property {boolean} leaves_host
 * @property {boolean} allowed
 * @property {string | null} reason why it is not allowed
 * @property {Schema} options_schema
 * @property {boolean} [protects_privacy]
 * @property {number} [scale]
 * @property {string[]} [languages]
 */

/** @typedef {"grid" | "speaker"} Layout */

/**
 * How speech is written down: the language spoken (BCP 47, or "auto"), the script of Chinese, numbers, and which sound.
 * @typedef {object} SpeechWish
 * @property {string} language
 * @property {string} script "traditional-tw", "simplified" or "as-spoken"
 * @property {string} numbers "as-spoken" or "digits"
 * @property {string} transcribe_from "original" or "denoised"
 */

/** @typedef {{start_s: number, end_s: number, text: string}} Word spaces, where there are any, belong to the text */

/**
 * What one person, by their id, said without a long pause.
 * @typedef {object} Utterance
 * @property {string} person
 * @property {number} start_s
 * @property {number} end_s
 * @property {string} text
 * @property {string} language
 * @property {Word[]} [words]
 */

/**
 * What was said, in order; the names of people by their ids, empty where they are not known.
 * @typedef {{people: Record<string, string>, utterances: Utterance[], transcriber: string, script: string}} Transcript
 */

/** @typedef {"everything" | "options" | "nothing"} PeopleMayChange what people may change of the live effects for themselves */

/**
 * A live effect that a meeting has.
 * @typedef {object} EffectOffer
 * @property {string} name of the provider
 * @property {string} title
 * @property {boolean} protects_privacy
 * @property {Schema} options_schema
 * @property {Record<string, unknown>} options as the meeting has them
 */
/** @typedef {{people_may_change: PeopleMayChange, filters: EffectOffer[], denoiser: EffectOffer | null}} MeetingEffects */

/** @typedef {{name: string, title: Record<string, string>}} BuiltInPicture a background; its title by language */

/**
 * @typedef {object} Preset
 * @property {string[]} [frame_filters]
 * @property {string | null} [live_denoiser]
 * @property {string | null} [live_transcriber]
 * @property {PeopleMayChange} [people_may_change]
 * @property {string | null} [denoiser]
 * @property {string | null} [transcriber]
 * @property {string | null} [video_enhancer]
 * @property {string | null} [language]
 * @property {string | null} [script]
 * @property {string} [numbers]
 * @property {string} [transcribe_from]
 * @property {Layout | null} [layout] how the recording shows people; null: as the settings say
 * @property {Record<string, Record<string, unknown>>} [options]
 */

/** @typedef {Preset} ChosenPlugins */
/** @typedef {{plugin: string, distribution?: string, reason: string, remedy: string}} PluginProblem */
/** @typedef {{name: string, distribution: string, version: string, providers: [Kind, string][]}} Plugin */

/**
 * @typedef {object} Choices
 * @property {Record<string, Preset>} presets
 * @property {Partial<Record<Kind, Provider[]>>} providers
 * @property {PluginProblem[]} problems
 * @property {string[]} [fields] the choices that the server acts on; without it, all but live_denoiser
 */

/**
 * @typedef {object} Meeting
 * @property {string} id
 * @property {string} title
 * @property {string} [url]
 * @property {string} [host_key] only in the answer to the one who created it
 * @property {string} [preset]
 * @property {ChosenPlugins} [choices]
 * @property {number} [people]
 * @property {boolean} [recording] whether it runs
 * @property {string | null} [recording_started_by]
 * @property {import("./protocol.js").RecordingChoice} [recording_choice]
 * @property {MeetingEffects | null} [effects] the live effects that there are
 * @property {{title: string, leaves_host: boolean, language: string, languages: string[]} | null} [captions] where there are any
 */

/** @typedef {"queued" | "running" | "done" | "failed" | "cancelled"} JobState */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} title
 * @property {JobState} state
 * @property {number} progress 0 to 1
 * @property {number | null} seconds
 * @property {string | null} error
 * @property {string[]} log_tail
 * @property {Cost} [cost]
 * @property {number} [attempts] how often it failed so far
 * @property {number | null} [retry_in_s] while it waits for another try
 * @property {number} [parts] of a step that is done in parts how many there are, otherwise 0
 * @property {number} [parts_done]
 */

/** @typedef {{wall_s: number | null, cpu_s: number | null, peak_memory_bytes: number | null}} Cost null: not known */
/**
 * @typedef {object} JobPlugins
 * @property {string | null} [denoiser]
 * @property {string | null} [transcriber]
 * @property {Record<string, object>} [options]
 * @property {Layout | null} [layout]
 * @property {"meeting" | "per-person"} [files]
 */
/** @typedef {JobPlugins & {[K in keyof SpeechWish]?: SpeechWish[K] | null}} JobWish */

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {string} recording_id
 * @property {JobState} state
 * @property {number} created_at_s
 * @property {JobWish} request
 * @property {Step[]} steps
 * @property {Record<string, string>} results
 * @property {string} [name] what somebody calls it; "" for nothing
 * @property {"front" | "fresh" | "ahead" | "later"} [priority] ahead: its recording still runs
 * @property {Cost} [cost]
 * @property {string[]} [missing] results that somebody has deleted
 */

/** @typedef {{name: string, title: string, job_id: string, url: string, size_bytes: number, type: string}} RecordingFile */

/**
 * @typedef {object} Recording
 * @property {string} id
 * @property {string | null} meeting_id null for a file that was uploaded
 * @property {string} title
 * @property {number} started_at_s
 * @property {number | null} duration_s
 * @property {string[]} people
 * @property {"recording" | "recorded" | "processing" | "ready" | "failed"} state
 * @property {string | null} thumbnail
 * @property {number} size_bytes
 * @property {string|null} [note] why it ended, or was not processed, when nobody asked for that
 * @property {boolean} [kept] never to be deleted by itself
 * @property {number | null} [expires_at_s] when its age has it deleted
 * @property {{filename: string, url: string, size_bytes: number} | null} [upload] the file, where it was uploaded
 * @property {Job | null} job
 * @property {Job[]} [jobs]
 * @property {RecordingFile[]} [files]
 * @property {Hit[]} [hits] where the words of a search were said
 */

/**
 * A place in a recording. `marks` are [from, to) in the characters (not UTF-16 units) of `text`.
 * @typedef {object} Hit
 * @property {string} text
 * @property {[number, number][]} marks
 * @property {string | null} participant
 * @property {number | null} start_s
 * @property {number | null} end_s
 * @property {string | null} language
 */

/** @typedef {{recordings: Recording[], total: number, offset: number}} RecordingList */

/**
 * A file of which not everything has come.
 * @typedef {object} Upload
 * @property {string} id that of the recording that it becomes
 * @property {string} filename
 * @property {string} title
 * @property {number} length_bytes
 * @property {number} offset_bytes how much is there
 * @property {number | null} modified_ms when the file was last changed
 * @property {number} expires_at_s
 * @property {"waiting" | "receiving" | "checking"} state
 */

/**
 * What is deleted by itself; 0 is no rule.
 * @typedef {object} Retention
 * @property {number} max_age_days
 * @property {number} max_total_bytes
 * @property {number} total_bytes
 * @property {{id: string, title: string, reason: "age" | "size", at_s: number | null} | null} next
 */

export {};
