<?php
/**
 * Reads the database's access from the project's own configuration, without running WordPress.
 *
 *   php database.php ROOT credentials   a client option file, for a client on this host only
 *   php database.php ROOT describe      name and table prefix, no secret
 *   php database.php ROOT evaluate      (by itself) what the configuration says, through a pipe
 *
 * web/wp-config.php is the site's own program, and it runs as the site's own account, as it does for every visitor; in a
 * process of its own, with the packages of the vendor folder. Where these are broken, as they are in the middle of an update,
 * the file .env is read alone.
 */

const INTENDANT_NAMES = array( 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST', 'MYSQL_CLIENT_FLAGS' );

ini_set( 'display_errors', 'stderr' );
list( , $root, $want ) = $argv;
$root                  = rtrim( $root, '/' );

if ( 'evaluate' === $want ) {
	intendant_evaluate( "$root/web/wp-config.php" );
	exit( 0 );
}

/** Runs the configuration without WordPress and prints what it defines. */
function intendant_evaluate( string $intendant_config ): void {
	$intendant_code = (string) file_get_contents( $intendant_config );
	$intendant_code = preg_replace( '/^[^\S\n]*(?:require|include)(?:_once)?\b[^;\n]*wp-settings\.php[^;\n]*;/m', '', $intendant_code );
	$intendant_code = str_replace(
		array( '__FILE__', '__DIR__' ),
		array( var_export( $intendant_config, true ), var_export( dirname( $intendant_config ), true ) ),
		$intendant_code
	);
	ob_start();
	eval( '?>' . $intendant_code );
	while ( ob_get_level() ) {
		ob_end_clean();
	}
	$said = array( 'prefix' => isset( $table_prefix ) ? (string) $table_prefix : ( isset( $GLOBALS['table_prefix'] ) ? (string) $GLOBALS['table_prefix'] : 'wp_' ) );
	foreach ( INTENDANT_NAMES as $name ) {
		$said[ $name ] = defined( $name ) && is_scalar( constant( $name ) ) ? (string) constant( $name ) : null;
	}
	echo "\n@intendant-settings@" . base64_encode( json_encode( array_map( static fn( $value ) => null === $value ? null : base64_encode( $value ), $said ) ) ) . "\n";
}

/** What the configuration defines, or null. */
function intendant_whole( string $root ): ?array {
	$process = proc_open( array( PHP_BINARY, '-d', 'display_errors=stderr', __FILE__, $root, 'evaluate' ), array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), STDERR ), $pipes, $root );
	if ( ! is_resource( $process ) ) {
		return null;
	}
	$said = (string) stream_get_contents( $pipes[1], 1 << 20 );
	fclose( $pipes[1] );
	proc_close( $process );
	$read = preg_match( '/^@intendant-settings@(\S+)$/m', $said, $found ) ? json_decode( (string) base64_decode( $found[1] ), true ) : null;
	return is_array( $read ) ? array_map( static fn( $value ) => null === $value ? null : (string) base64_decode( $value ), $read ) : null;
}

/** What .env alone says; .env.local goes before it. */
function intendant_alone( string $root ): array {
	$values = array();
	foreach ( array( '.env.local', '.env' ) as $file ) {
		$text = is_readable( "$root/$file" ) && filesize( "$root/$file" ) <= 1048576 ? (string) file_get_contents( "$root/$file" ) : '';
		preg_match_all( '/^[ \t]*(?:export[ \t]+)?([A-Z0-9_]+)[ \t]*=[ \t]*(?:\'([^\']*)\'|"((?:[^"\\\\]|\\\\.)*)"|([^#\r\n]*))/m', $text, $found, PREG_SET_ORDER | PREG_UNMATCHED_AS_NULL );
		foreach ( $found as $one ) {
			$quoted = isset( $one[3] ) ? stripslashes( $one[3] ) : null;
			$value  = $one[2] ?? $quoted ?? trim( (string) ( $one[4] ?? '' ) );
			// Another variable in it is somebody else's to resolve.
			if ( ! isset( $values[ $one[1] ] ) && ( isset( $one[2] ) || ! preg_match( '/\$\{/', $value ) ) ) {
				$values[ $one[1] ] = $value;
			}
		}
	}
	$parts = isset( $values['DATABASE_URL'] ) ? parse_url( $values['DATABASE_URL'] ) : array();
	$parts = is_array( $parts ) ? $parts : array();
	$part  = static fn( string $key ) => isset( $parts[ $key ] ) ? rawurldecode( (string) $parts[ $key ] ) : null;
	return array(
		'prefix'             => $values['DB_PREFIX'] ?? 'wp_',
		'DB_NAME'            => $values['DB_NAME'] ?? ( isset( $parts['path'] ) ? ltrim( (string) $part( 'path' ), '/' ) : null ),
		'DB_USER'            => $values['DB_USER'] ?? $part( 'user' ),
		'DB_PASSWORD'        => $values['DB_PASSWORD'] ?? $part( 'pass' ),
		'DB_HOST'            => $values['DB_HOST'] ?? ( isset( $parts['host'] ) ? $parts['host'] . ( isset( $parts['port'] ) ? ":{$parts['port']}" : '' ) : 'localhost' ),
		'MYSQL_CLIENT_FLAGS' => null,
	);
}

$vendor = json_decode( (string) @file_get_contents( "$root/composer.json" ), true )['config']['vendor-dir'] ?? 'vendor';
$whole  = is_file( "$root/web/wp-config.php" ) && is_file( "$root/" . ( is_string( $vendor ) ? $vendor : 'vendor' ) . '/autoload.php' ) ? intendant_whole( $root ) : null;
$access = isset( $whole['DB_NAME'], $whole['DB_USER'] ) ? $whole : intendant_alone( $root );
foreach ( array( 'DB_NAME', 'DB_USER' ) as $name ) {
	if ( ! isset( $access[ $name ] ) || '' === $access[ $name ] ) {
		fwrite( STDERR, "neither $root/web/wp-config.php nor $root/.env gives $name; it may be an environment variable that only the web server has: give it to this account, too\n" );
		exit( 4 );
	}
}

if ( 'describe' === $want ) {
	echo "\n@intendant-database@" . json_encode( array( 'name' => $access['DB_NAME'], 'prefix' => $access['prefix'] ) ) . "\n";
	exit( 0 );
}

$host   = (string) ( $access['DB_HOST'] ?? 'localhost' );
$socket = null;
$port   = null;
if ( preg_match( '/^(.*?):(\/.*)$/', $host, $parts ) ) {
	list( , $host, $socket ) = $parts;
} elseif ( preg_match( '/^\[([0-9a-fA-F:]+)\](?::([0-9]+))?$/', $host, $parts ) ) {
	$host = $parts[1];
	$port = $parts[2] ?? null;
} elseif ( preg_match( '/^([^:]*):([0-9]+)$/', $host, $parts ) ) {
	list( , $host, $port ) = $parts;
}
$quote = static fn( $value ) => '"' . str_replace( array( '\\', '"', "\n", "\r", "\t" ), array( '\\\\', '\\"', '\\n', '\\r', '\\t' ), (string) $value ) . '"';
$lines = array( '[client]', 'user=' . $quote( $access['DB_USER'] ), 'password=' . $quote( $access['DB_PASSWORD'] ?? '' ) );
if ( '' !== $host ) {
	$lines[] = 'host=' . $quote( $host );
}
if ( null !== $port ) {
	$lines[] = 'port=' . (int) $port;
}
if ( null !== $socket ) {
	$lines[] = 'socket=' . $quote( $socket );
}
if ( 0 === ( (int) ( $access['MYSQL_CLIENT_FLAGS'] ?? 0 ) & 2048 ) && null === $socket && 'localhost' !== $host ) {
	// As the site itself connects; newer clients would insist on TLS.
	$lines[] = 'loose-skip-ssl';
}
echo implode( "\n", $lines ) . "\n";
