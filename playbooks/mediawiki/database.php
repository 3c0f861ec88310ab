<?php
/**
 * The database's access from LocalSettings.php, without running MediaWiki.
 *
 *   php database.php ROOT credentials   how to log in, for the database's own programs on this host only
 *   php database.php ROOT describe      engine, name and table prefix; no secret
 */

$root = rtrim( $argv[1], '/' );
$want = $argv[2];
require __DIR__ . '/settings.php';

$fail = static function ( $why ) use ( $root ) {
	fwrite( STDERR, "$root: $why\n" );
	exit( 3 );
};
if ( ! is_string( $wgDBname ) || '' === $wgDBname ) {
	$fail( $intendant_trouble ? $intendant_trouble : 'LocalSettings.php does not set $wgDBname' );
}
if ( null !== $wgSharedDB ) {
	$fail( 'some tables are in another database ($wgSharedDB), which no snapshot of this one holds' );
}
$engines = array( 'mysql' => 'mysql', 'postgres' => 'postgresql', 'sqlite' => 'sqlite' );
if ( ! isset( $engines[ $wgDBtype ] ) ) {
	$fail( 'a database of the type ' . json_encode( $wgDBtype ) . ' is not known here' );
}
$engine = $engines[ $wgDBtype ];

if ( 'describe' === $want ) {
	echo "\n@intendant-database@" . json_encode(
		array(
			'engine' => $engine,
			'name'   => 'sqlite' === $engine ? intendant_sqlite_file() : $wgDBname,
			'prefix' => (string) $wgDBprefix,
		)
	) . "\n";
	exit( 0 );
}

if ( 'postgresql' === $engine ) {
	$lines = array( '[client]', 'host=' . ( '' === (string) $wgDBserver ? '/var/run/postgresql' : $wgDBserver ), 'port=' . (int) $wgDBport, 'user=' . $wgDBuser, 'password=' . $wgDBpassword );
	foreach ( $lines as $line ) {
		if ( strpbrk( $line, "\r\n" ) ) {
			$fail( 'a value of the database\'s access holds a line break' );
		}
	}
	echo implode( "\n", $lines ) . "\n";
	exit( 0 );
}

list( $host, $port, $socket ) = intendant_server( $wgDBserver );
$quote = static function ( $value ) {
	return '"' . str_replace( array( '\\', '"', "\n", "\r", "\t" ), array( '\\\\', '\\"', '\\n', '\\r', '\\t' ), (string) $value ) . '"';
};
$lines = array( '[client]', 'user=' . $quote( $wgDBuser ), 'password=' . $quote( $wgDBpassword ) );
if ( '' !== $host ) {
	$lines[] = 'host=' . $quote( $host );
}
if ( null !== $port ) {
	$lines[] = 'port=' . $port;
}
if ( null !== $socket ) {
	$lines[] = 'socket=' . $quote( $socket );
}
if ( ! $wgDBssl && null === $socket && 'localhost' !== $host ) {
	// As the site itself connects; newer clients would insist on TLS.
	$lines[] = 'loose-skip-ssl';
}
echo implode( "\n", $lines ) . "\n";
