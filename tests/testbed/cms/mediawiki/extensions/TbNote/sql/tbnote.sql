CREATE TABLE /*_*/tbnote (tn_id INTEGER NOT NULL PRIMARY KEY, tn_text VARCHAR(255) NOT NULL) /*$wgDBTableOptions*/;
