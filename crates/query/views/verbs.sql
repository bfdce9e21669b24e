-- What a verb does to an object.

-- DuckDB takes a list (`verb IN (…)`) for a hint while it reads, and gives it up where it seems to hold too often. `IS TRUE` makes a
-- condition of it: the other columns of a row that does not pass, bodies among them, are not read.
CREATE MACRO is_write(verb) AS (verb IN ('create', 'update', 'patch')) IS TRUE;
CREATE MACRO is_write_or_delete(verb) AS (verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')) IS TRUE;
