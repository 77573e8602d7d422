-- Which terms somebody was shown: only those can be agreed to.

ALTER TABLE people ADD COLUMN terms_shown_version INTEGER;
