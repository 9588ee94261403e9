/** The texts of the list of recordings in English. */
export default {
  "recordings.title": "Recordings",
  "recordings.filter": "Search titles, people and what was said",
  "recordings.empty": "No recordings yet",
  "recordings.empty-hint": "Start a meeting and press “record”. The recording appears here as soon as it begins.",
  "recordings.no-match": "No recording matches.",
  "recordings.no-match-hint": "All words must occur in a recording: in its title, its people or what was said. Try fewer or shorter ones.",
  "recordings.found": { one: "{count} recording found", other: "{count} recordings found" },
  "recordings.more": "Show more",
  "recordings.database-waiting": "The database does not answer at the moment. Nothing is lost: the server writes everything as soon as it does.",
  "recordings.count": { one: "{count} recording", other: "{count} recordings" },
  "recordings.live-lost": "Live updates are interrupted; trying again…",
  "recordings.untitled": "Untitled",
  "recordings.no-people": "Nobody",
};
