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
 * @property {PeopleMayChange} [people_may_change]
 * @property {string | null} [denoiser]
 * @property {string | null} [transcriber]
 * @property {string | null} [video_enhancer]
 * @property {string | null} [language]
 * @property {string | null} [script]
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
 */

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {string} recording_id
 * @property {JobState} state
 * @property {number} created_at_s
 * @property {{denoiser?: string | null, options?: Record<string, object>}} request
 * @property {Step[]} steps
 * @property {Record<string, string>} results
 */

/** @typedef {{name: string, title: string, job_id: string, url: string, size_bytes: number, type: string}} RecordingFile */

/**
 * @typedef {object} Recording
 * @property {string} id
 * @property {string} meeting_id
 * @property {string} title
 * @property {number} started_at_s
 * @property {number | null} duration_s
 * @property {string[]} people
 * @property {"recording" | "recorded" | "processing" | "ready" | "failed"} state
 * @property {string | null} thumbnail
 * @property {number} size_bytes
 * @property {string|null} [note] why it ended, or was not processed, when nobody asked for that
 * @property {Job | null} job
 * @property {Job[]} [jobs]
 * @property {RecordingFile[]} [files]
 */

export {};
