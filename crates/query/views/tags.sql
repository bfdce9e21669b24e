-- One row per event and word that somebody put on it with `kforensic tag`: a note beside the evidence.

-- Columns:
-- audit_id: the event
-- tag: the word
-- note: what else there is to say
-- author: who put it there
-- tagged_at: when (UTC)
-- number: number of the note, in the order in which they were written
CREATE VIEW tags AS
SELECT audit_id, tag, note, author, tagged_at, number FROM tagged;
