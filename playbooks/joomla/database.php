<?php
/**
 * Reads the database's access from the site's own configuration, without running Joomla.
 *
 *   php database.php ROOT credentials   a client option file, for a client on this host only
 *   php database.php ROOT describe      name and table prefix, no secret
 */

require __DIR__ . '/common.php';

$root   = rtrim( $argv[1], '/' );
$config = intendant_config( $root );
foreach ( [ 'db', 'user', 'password', 'host', 'dbprefix' ] as $key ) {
	if ( ! isset( $config[ $key ] ) ) {
		intendant_fail( "$root/configuration.php does not give \$$key", 4 );
	}
}
if ( ! intendant_is_mysql( $config ) ) {
	intendant_fail( 'the database is ' . intendant_line( $config['dbtype'] ) . '; this playbook knows MariaDB and MySQL', 5 );
}

if ( 'describe' === $argv[2] ) {
	echo "\n@intendant-database@" . json_encode( [ 'name' => (string) $config['db'], 'prefix' => (string) $config['dbprefix'] ] ) . "\n";
	exit( 0 );
}

list( $host, $port, $socket ) = intendant_host( $config['host'] );

$quote = static function ( $value ) {
	return '"' . str_replace( [ '\\', '"', "\n", "\r", "\t" ], [ '\\\\', '\\"', '\\n', '\\r', '\\t' ], (string) $value ) . '"';
};
$lines = [ '[client]', 'user=' . $quote( $config['user'] ), 'password=' . $quote( $config['password'] ), 'host=' . $quote( $host ) ];
if ( null !== $port ) {
	$lines[] = 'port=' . $port;
}
if ( null !== $socket ) {
	$lines[] = 'socket=' . $quote( $socket );
}
if ( empty( $config['dbencryption'] ) && null === $socket && 'localhost' !== $host ) {
	// As the site itself connects; newer clients would insist on TLS.
	$lines[] = 'loose-skip-ssl';
}
echo implode( "\n", $lines ) . "\n";
