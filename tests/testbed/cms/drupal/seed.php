<?php
/** Installs the site: Drupal's tables in their shapes, a few pages, accounts, a configuration that is exported. */

$link = new PDO( 'mysql:unix_socket=' . getenv( 'DB_SOCKET' ) . ';dbname=' . getenv( 'DB_NAME' ) . ';charset=utf8mb4', getenv( 'DB_USER' ), getenv( 'DB_PASSWORD' ), array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION ) );
$cache = '(cid varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT "", data longblob, expire bigint NOT NULL DEFAULT 0, created decimal(14,3) NOT NULL DEFAULT 0, serialized smallint NOT NULL DEFAULT 0, tags longtext, checksum varchar(255) CHARACTER SET ascii NOT NULL, PRIMARY KEY (cid), KEY expire (expire), KEY created (created))';
$tables = array(
	'key_value'          => '(collection varchar(128) CHARACTER SET ascii NOT NULL DEFAULT "", name varchar(128) CHARACTER SET ascii NOT NULL DEFAULT "", value longblob NOT NULL, PRIMARY KEY (collection, name))',
	'config'             => '(collection varchar(255) CHARACTER SET ascii NOT NULL DEFAULT "", name varchar(255) CHARACTER SET ascii NOT NULL DEFAULT "", data longblob, PRIMARY KEY (collection, name))',
	'users'              => '(uid int unsigned NOT NULL AUTO_INCREMENT, uuid varchar(128) CHARACTER SET ascii NOT NULL, langcode varchar(12) CHARACTER SET ascii NOT NULL, PRIMARY KEY (uid), UNIQUE KEY user_field__uuid__value (uuid))',
	'users_field_data'   => '(uid int unsigned NOT NULL, langcode varchar(12) CHARACTER SET ascii NOT NULL, name varchar(60) NOT NULL, pass varchar(255), mail varchar(254), status tinyint, created int NOT NULL, access int NOT NULL DEFAULT 0, login int, default_langcode tinyint NOT NULL DEFAULT 1, PRIMARY KEY (uid, langcode), UNIQUE KEY user__name (name, langcode))',
	'user__roles'        => '(bundle varchar(128) CHARACTER SET ascii NOT NULL DEFAULT "", deleted tinyint NOT NULL DEFAULT 0, entity_id int unsigned NOT NULL, revision_id int unsigned NOT NULL, langcode varchar(32) CHARACTER SET ascii NOT NULL DEFAULT "", delta int unsigned NOT NULL, roles_target_id varchar(255) CHARACTER SET ascii NOT NULL, PRIMARY KEY (entity_id, deleted, delta, langcode), KEY roles_target_id (roles_target_id))',
	'node_field_data'    => '(nid int unsigned NOT NULL, vid int unsigned NOT NULL, type varchar(32) CHARACTER SET ascii NOT NULL, langcode varchar(12) CHARACTER SET ascii NOT NULL, status tinyint NOT NULL, uid int unsigned NOT NULL, title varchar(255) NOT NULL, created int NOT NULL, changed int NOT NULL, PRIMARY KEY (nid, langcode))',
	'node__body'         => '(bundle varchar(128) CHARACTER SET ascii NOT NULL DEFAULT "", deleted tinyint NOT NULL DEFAULT 0, entity_id int unsigned NOT NULL, revision_id int unsigned NOT NULL, langcode varchar(32) CHARACTER SET ascii NOT NULL DEFAULT "", delta int unsigned NOT NULL, body_value longtext NOT NULL, body_format varchar(255) CHARACTER SET ascii, PRIMARY KEY (entity_id, deleted, delta, langcode))',
	'comment_field_data' => '(cid int unsigned NOT NULL AUTO_INCREMENT, entity_id int unsigned, name varchar(60), subject varchar(64), status tinyint NOT NULL, created int NOT NULL, PRIMARY KEY (cid))',
	'sessions'           => '(uid int unsigned NOT NULL, sid varchar(128) CHARACTER SET ascii NOT NULL, hostname varchar(128) CHARACTER SET ascii NOT NULL DEFAULT "", timestamp bigint NOT NULL DEFAULT 0, session longblob, PRIMARY KEY (sid), KEY uid (uid))',
	'semaphore'          => '(name varchar(255) CHARACTER SET ascii NOT NULL DEFAULT "", value varchar(255) CHARACTER SET ascii NOT NULL DEFAULT "", expire double NOT NULL, PRIMARY KEY (name), KEY expire (expire))',
	'watchdog'           => '(wid bigint NOT NULL AUTO_INCREMENT, type varchar(64) CHARACTER SET ascii NOT NULL DEFAULT "", message longtext NOT NULL, timestamp bigint NOT NULL DEFAULT 0, PRIMARY KEY (wid))',
);
foreach ( array( 'bootstrap', 'config', 'container', 'page', 'render', 'discovery', 'default' ) as $bin ) {
	$tables[ "cache_$bin" ] = $cache;
}
foreach ( $tables as $name => $shape ) {
	$link->exec( "CREATE TABLE `$name` " . str_replace( '""', "''", $shape ) . ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci' );
}
$put = static function ( string $table, array $row ) use ( $link ) {
	$link->prepare( "INSERT INTO `$table` (`" . implode( '`, `', array_keys( $row ) ) . '`) VALUES (' . implode( ', ', array_fill( 0, count( $row ), '?' ) ) . ')' )->execute( array_values( $row ) );
};
$configuration = array(
	'system.site'              => array( 'name' => 'Testbed', 'mail' => 'site@testbed.example', 'page' => array( 'front' => '/node' ) ),
	'core.extension'           => array( 'module' => array( 'node' => 0, 'system' => 0, 'user' => 0, 'ctools' => 0, 'token' => 0, 'pathauto' => 1, 'tb_custom' => 0 ), 'theme' => array( 'stark' => 0, 'gin' => 0 ), 'profile' => 'minimal' ),
	'user.role.administrator'  => array( 'id' => 'administrator', 'label' => 'Administrator', 'is_admin' => true, 'permissions' => array() ),
	'user.role.content_editor' => array( 'id' => 'content_editor', 'label' => 'Content editor', 'is_admin' => false, 'permissions' => array( 'access content' ) ),
);
@mkdir( 'config/sync', 0755, true );
file_put_contents( 'config/sync/.htaccess', "Require all denied\n" );
foreach ( $configuration as $name => $data ) {
	$put( 'config', array( 'collection' => '', 'name' => $name, 'data' => serialize( $data ) ) );
	file_put_contents( "config/sync/$name.yml", json_encode( $data, JSON_PRETTY_PRINT ) . "\n" );
}
foreach ( array( 'system' => 10400, 'node' => 10200, 'user' => 10000, 'token' => 8000, 'pathauto' => 8108, 'ctools' => 8000, 'tb_custom' => 8000 ) as $module => $schema ) {
	$put( 'key_value', array( 'collection' => 'system.schema', 'name' => $module, 'value' => serialize( $schema ) ) );
}
$put( 'key_value', array( 'collection' => 'state', 'name' => 'system.cron_last', 'value' => serialize( 1768435200 ) ) );
foreach ( array( 1 => array( 'admin', 'admin@testbed.example', array() ), 2 => array( 'chief', 'chief@testbed.example', array( 'administrator' ) ), 3 => array( 'editor', 'editor@testbed.example', array( 'content_editor' ) ) ) as $uid => list( $name, $mail, $roles ) ) {
	$put( 'users', array( 'uid' => $uid, 'uuid' => "00000000-0000-4000-8000-00000000000$uid", 'langcode' => 'en' ) );
	$put( 'users_field_data', array( 'uid' => $uid, 'langcode' => 'en', 'name' => $name, 'pass' => '$2y$10$testbed', 'mail' => $mail, 'status' => 1, 'created' => 1768435200 ) );
	foreach ( $roles as $delta => $role ) {
		$put( 'user__roles', array( 'bundle' => 'user', 'entity_id' => $uid, 'revision_id' => $uid, 'langcode' => 'en', 'delta' => $delta, 'roles_target_id' => $role ) );
	}
}
foreach ( array( 1 => 'First things', 2 => 'À propos', 3 => 'Contact' ) as $nid => $title ) {
	$put( 'node_field_data', array( 'nid' => $nid, 'vid' => $nid, 'type' => 'page', 'langcode' => 'en', 'status' => 1, 'uid' => 1, 'title' => $title, 'created' => 1768435200, 'changed' => 1768435200 ) );
	$put( 'node__body', array( 'bundle' => 'page', 'entity_id' => $nid, 'revision_id' => $nid, 'langcode' => 'en', 'delta' => 0, 'body_value' => str_repeat( "<p>The text of page $nid, which visitors read.</p>\n", 8 ) . ( 1 === $nid ? "<p>“Error: no paper” is what the printer says.</p>\n" : '' ), 'body_format' => 'basic_html' ) );
}
$put( 'comment_field_data', array( 'entity_id' => 1, 'name' => 'visitor', 'subject' => 'Well said', 'status' => 1, 'created' => 1768435200 ) );
