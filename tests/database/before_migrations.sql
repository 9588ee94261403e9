BEGIN TRANSACTION;
CREATE TABLE jobs (
	id VARCHAR NOT NULL, 
	recording_id VARCHAR NOT NULL, 
	folder VARCHAR NOT NULL, 
	request VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	created_at_s DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('0123456789abcdef','20261101-080000-aaaaaaaa','/srv/vmeet/data/recordings/20261101-080000-aaaaaaaa','{"denoiser":null,"options":{},"title":""}','running',1793520070.0);
CREATE TABLE meetings (
	id VARCHAR(32) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	host_key VARCHAR(64) NOT NULL, 
	preset VARCHAR(64) NOT NULL, 
	choices JSON NOT NULL, 
	created_at_s FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "meetings" VALUES('m-one','週一例會','host-key','plain','{}',1.79567243772265529638e+09);
CREATE TABLE recordings (
	id VARCHAR(48) NOT NULL, 
	meeting_id VARCHAR(32) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	started_at_s FLOAT NOT NULL, 
	duration_s FLOAT, 
	people JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	note VARCHAR(500), 
	PRIMARY KEY (id), 
	FOREIGN KEY(meeting_id) REFERENCES meetings (id)
);
INSERT INTO "recordings" VALUES('20261101-080000-aaaaaaaa','m-one','週一例會',1793520000.5,61.25,'["\u738b\u5c0f\u660e", "Zo\u00eb"]','recorded',NULL);
INSERT INTO "recordings" VALUES('20261102-080000-bbbbbbbb','m-one','Plan B',1793606400.0,5.0,'[]','recorded','the disk is nearly full');
CREATE TABLE steps (
	job_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	spec VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	seconds DOUBLE, 
	error VARCHAR, 
	attempts INTEGER NOT NULL, 
	outputs VARCHAR NOT NULL, 
	log VARCHAR NOT NULL, 
	PRIMARY KEY (job_id, position), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "steps" VALUES('0123456789abcdef',0,'first:0011','{"name":"prepare","title":"Read the recording","function":"vmeet_core.pipeline.steps.prepare:run_recording","version":1,"params":{},"inputs":{},"outputs":{"prepared":{"result":"prepared","file":"prepared.json"}},"files":{},"plugin":null}','done',1.5,NULL,0,'{}','["one", "two"]');
INSERT INTO "steps" VALUES('0123456789abcdef',1,'first:0012','{"name":"prepare","title":"Read the recording","function":"vmeet_core.pipeline.steps.prepare:run_recording","version":1,"params":{},"inputs":{},"outputs":{"prepared":{"result":"prepared","file":"prepared.json"}},"files":{},"plugin":null}','queued',NULL,NULL,0,'{}','[]');
CREATE INDEX ix_jobs_recording_id ON jobs (recording_id);
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE INDEX ix_recordings_started_at_s ON recordings (started_at_s);
CREATE INDEX ix_steps_key ON steps ("key");
COMMIT;
