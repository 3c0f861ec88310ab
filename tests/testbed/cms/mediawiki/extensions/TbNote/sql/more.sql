CREATE TABLE /*_*/tbnote_more (tm_id INTEGER NOT NULL PRIMARY KEY) /*$wgDBTableOptions*/;
