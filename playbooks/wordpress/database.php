<?php
/**
 * Reads the database's access from the site's own configuration, without running the CMS.
 *
 *   php database.php ROOT credentials   a client option file, for a client on this host only
 *   php database.php ROOT describe      name and table prefix, no secret
 */

$root = rtrim( $argv[1], '/' );
$want = $argv[2];

$config = null;
foreach ( array( "$root/wp-config.php", dirname( $root ) . '/wp-config.php' ) as $candidate ) {
	// WordPress takes the one above only when no other installation lives there.
	if ( is_readable( $candidate ) && ( 0 === strpos( $candidate, "$root/" ) || ! file_exists( dirname( $root ) . '/wp-settings.php' ) ) ) {
		$config = $candidate;
		break;
	}
}
if ( null === $config ) {
	fwrite( STDERR, "no readable wp-config.php in $root or above it\n" );
	exit( 3 );
}

$code = file_get_contents( $config );
$code = preg_replace( '/^[^\S\n]*(?:require|include)(?:_once)?\b[^;\n]*wp-settings\.php[^;\n]*;/m', '', $code );
$code = str_replace(
	array( '__FILE__', '__DIR__' ),
	array( var_export( $config, true ), var_export( dirname( $config ), true ) ),
	$code
);
ini_set( 'display_errors', 'stderr' );
ob_start();
// The configuration is the site's own program, and it runs as the site's own account, as it
// does for every visitor.
eval( '?>' . $code );
ob_end_clean();

foreach ( array( 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST' ) as $name ) {
	if ( ! defined( $name ) ) {
		fwrite( STDERR, "$config does not define $name\n" );
		exit( 4 );
	}
}

if ( 'describe' === $want ) {
	echo "\n@intendant-database@" . json_encode(
		array(
			'name'   => DB_NAME,
			'prefix' => isset( $table_prefix ) ? (string) $table_prefix : 'wp_',
		)
	) . "\n";
	exit( 0 );
}

$host   = (string) DB_HOST;
$socket = null;
$port   = null;
if ( preg_match( '/^(.*?):(\/.*)$/', $host, $parts ) ) {
	list( , $host, $socket ) = $parts;
} elseif ( preg_match( '/^\[([0-9a-fA-F:]+)\](?::([0-9]+))?$/', $host, $parts ) ) {
	$host = $parts[1];
	$port = isset( $parts[2] ) ? $parts[2] : null;
} elseif ( preg_match( '/^([^:]*):([0-9]+)$/', $host, $parts ) ) {
	list( , $host, $port ) = $parts;
}
$quote = static function ( $value ) {
	return '"' . str_replace( array( '\\', '"', "\n", "\r", "\t" ), array( '\\\\', '\\"', '\\n', '\\r', '\\t' ), (string) $value ) . '"';
};
$flags = defined( 'MYSQL_CLIENT_FLAGS' ) ? (int) MYSQL_CLIENT_FLAGS : 0;
$lines = array(
	'[client]',
	'user=' . $quote( DB_USER ),
	'password=' . $quote( DB_PASSWORD ),
);
if ( '' !== $host ) {
	$lines[] = 'host=' . $quote( $host );
}
if ( null !== $port ) {
	$lines[] = 'port=' . (int) $port;
}
if ( null !== $socket ) {
	$lines[] = 'socket=' . $quote( $socket );
}
if ( 0 === ( $flags & 2048 ) && null === $socket && 'localhost' !== $host ) {
	// As the site itself connects; newer clients would insist on TLS.
	$lines[] = 'loose-skip-ssl';
}
echo implode( "\n", $lines ) . "\n";
