CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION ours (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION ours ALTER MAPPING FOR asciiword WITH words, stems;
COMMENT ON TEXT SEARCH CONFIGURATION ours IS 'what people wrote';
CREATE TABLE notes (body text, search tsvector GENERATED ALWAYS AS (to_tsvector('public.ours', body)) STORED);
