<?php
/**
 * A Drupal 7 site, looked at without running it:
 *
 *   php site.php ROOT inventory     core, modules, themes, accounts; no secret
 *   php site.php ROOT versions      the versions on disk, by files alone
 *   php site.php ROOT describe      the database's engine, name and prefix; no secret
 *   php site.php ROOT credentials   how the client on this host logs in, for it only
 *   php site.php ROOT evaluate      (by itself) what settings.php says, through a pipe
 *
 * settings.php is the site's own program, and runs in a process of its own.
 */

const INTENDANT_MOST = 5000;
error_reporting( E_ALL & ~E_DEPRECATED );
ini_set( 'display_errors', 'stderr' );

list( , $root, $want ) = $argv;
$root   = rtrim( $root, '/' );
$found  = glob( "$root/sites/*/settings.php" ) ?: array();
$config = is_file( "$root/sites/default/settings.php" ) ? "$root/sites/default/settings.php" : ( 1 === count( $found ) ? $found[0] : null );

if ( 'evaluate' === $want ) {
	ob_start();
	define( 'DRUPAL_ROOT', $root );
	chdir( $root );
	$databases = array();
	try {
		include $config;
	} catch ( \Throwable $error ) {
		// What stood there by then may be a default that the rest replaces.
		fwrite( STDERR, 'settings.php fails: ' . $error->getMessage() . "\n" );
		$databases = array();
	}
	while ( ob_get_level() ) {
		ob_end_clean();
	}
	$one = $databases['default']['default'] ?? null;
	echo "\n@intendant-settings@" . base64_encode( serialize( is_array( $one ) ? array_filter( $one, 'is_scalar' ) + array( 'prefix' => is_array( $one['prefix'] ?? '' ) ? $one['prefix']['default'] ?? '' : '' ) : null ) ) . "\n";
	exit( 0 );
}

function intendant_core( string $root ): ?string {
	$text = (string) @file_get_contents( "$root/includes/bootstrap.inc", false, null, 0, 262144 );
	return preg_match( "/^define\\('VERSION', '([^']+)'\\)/m", $text, $found ) ? $found[1] : null;
}

/** Every extension that did not come with the core: name to kind, title, version, project, folder. */
function intendant_extensions( string $root ): array {
	$all = array();
	foreach ( array( 'sites/*/modules' => 'module', 'sites/*/themes' => 'theme', 'profiles/*/modules' => 'module', 'profiles/*/themes' => 'theme' ) as $place => $kind ) {
		$queue = glob( "$root/$place", GLOB_ONLYDIR ) ?: array();
		for ( $seen = 0; $queue && $seen < 20000; ++$seen ) {
			$folder = array_shift( $queue );
			foreach ( (array) @scandir( $folder ) as $name ) {
				$path = "$folder/$name";
				if ( ! is_string( $name ) || '.' === $name[0] || in_array( $name, array( 'tests', 'test', 'node_modules', 'vendor' ), true ) ) {
					continue;
				}
				if ( is_dir( $path ) && ! is_link( $path ) ) {
					$queue[] = $path;
				} elseif ( preg_match( '/^([a-z0-9_]+)\.info$/', $name, $part ) && ! isset( $all[ "$kind:{$part[1]}" ] ) && count( $all ) < INTENDANT_MOST ) {
					$info = array();
					foreach ( (array) @file( $path, FILE_IGNORE_NEW_LINES ) as $line ) {
						if ( preg_match( '/^\s*(name|version|project|core)\s*=\s*"?([^"\r]*?)"?\s*$/', $line, $pair ) ) {
							$info[ $pair[1] ] = $pair[2];
						}
					}
					$all[ "$kind:{$part[1]}" ] = array( 'kind' => $kind, 'slug' => $part[1], 'folder' => $folder ) + $info;
				}
			}
		}
	}
	ksort( $all );
	return $all;
}
$version = static fn( $text ) => is_string( $text ) && '' !== $text ? preg_replace( '/^7\.x-/', '', $text ) : null;

if ( 'versions' === $want ) {
	$versions = array_filter( array( 'core:core' => intendant_core( $root ) ) );
	foreach ( intendant_extensions( $root ) as $id => $one ) {
		$versions += array_filter( array( $id => $version( $one['version'] ?? null ) ) );
	}
	echo "\n@intendant-versions@" . json_encode( array( 'versions' => (object) $versions ), JSON_INVALID_UTF8_SUBSTITUTE ) . "\n";
	exit( 0 );
}

if ( null === $config ) {
	fwrite( STDERR, "no settings.php in $root/sites/default, and not just one beside it (several sites in one folder are not supported)\n" );
	exit( 3 );
}
$process = proc_open( array( PHP_BINARY, '-d', 'display_errors=stderr', __FILE__, $root, 'evaluate' ), array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), STDERR ), $pipes );
$said    = is_resource( $process ) ? (string) stream_get_contents( $pipes[1], 1 << 20 ) : '';
if ( is_resource( $process ) ) {
	fclose( $pipes[1] );
	proc_close( $process );
}
$database = preg_match( '/^@intendant-settings@(\S+)$/m', $said, $part ) ? @unserialize( (string) base64_decode( $part[1] ), array( 'allowed_classes' => false ) ) : null;
$engines  = array( 'mysql' => 'mysql', 'pgsql' => 'postgresql', 'sqlite' => 'sqlite' );
if ( ! is_array( $database ) || empty( $database['database'] ) || ! isset( $engines[ $database['driver'] ?? '' ] ) ) {
	fwrite( STDERR, "$config names no database when the command line asks; it may need environment variables that only the web server has\n" );
	exit( 4 );
}
$engine = $engines[ $database['driver'] ];
$prefix = (string) $database['prefix'];

if ( 'describe' === $want ) {
	$name = (string) $database['database'];
	echo "\n@intendant-database@" . json_encode( array( 'engine' => $engine, 'name' => 'sqlite' === $engine && '/' !== $name[0] ? "$root/$name" : $name, 'prefix' => $prefix ), JSON_UNESCAPED_SLASHES ) . "\n";
	exit( 0 );
}

$host = (string) ( $database['host'] ?? 'localhost' );
$port = isset( $database['port'] ) && '' !== (string) $database['port'] ? (int) $database['port'] : null;
if ( 'credentials' === $want ) {
	$quote = static fn( $value ) => '"' . str_replace( array( '\\', '"', "\n", "\r", "\t" ), array( '\\\\', '\\"', '\\n', '\\r', '\\t' ), (string) $value ) . '"';
	$plain = 'postgresql' === $engine;
	if ( $plain && preg_match( '/[\r\n]/', $host . ( $database['username'] ?? '' ) . ( $database['password'] ?? '' ) ) ) {
		fwrite( STDERR, "a line break in the database's access can't be passed on\n" );
		exit( 5 );
	}
	$lines = array( '[client]', 'user=' . ( $plain ? $database['username'] : $quote( $database['username'] ?? '' ) ), 'password=' . ( $plain ? $database['password'] ?? '' : $quote( $database['password'] ?? '' ) ) );
	if ( ! $plain && ! empty( $database['unix_socket'] ) ) {
		$lines[] = 'socket=' . $quote( $database['unix_socket'] );
	} else {
		$lines[] = 'host=' . ( $plain ? $host : $quote( $host ) );
		if ( null !== $port ) {
			$lines[] = "port=$port";
		}
		if ( ! $plain && 'localhost' !== $host ) {
			// As the site itself connects; newer clients would insist on TLS.
			$lines[] = 'loose-skip-ssl';
		}
	}
	echo implode( "\n", $lines ) . "\n";
	exit( 0 );
}

$document = array(
	'core'       => array(
		'title'       => 'Drupal',
		'version'     => intendant_core( $root ),
		'offers'      => array(),
		'end_of_life' => array( 'date' => '2025-01-05', 'why' => 'Drupal 7 gets no fixes any more, also none of security; its successor is a new site (Drupal 10 or 11)' ),
	),
	'platform'   => array( 'php' => PHP_VERSION ),
	'extensions' => array(),
	'sources'    => array(),
	'unsupported' => 'Drupal 7 is at its end of life and gets no updates; snapshots, checks and the inventory work: plan a new site',
);
$active = array();
try {
	$dsn  = array(
		'mysql'      => 'mysql:' . ( empty( $database['unix_socket'] ) ? "host=$host" . ( $port ? ";port=$port" : '' ) : "unix_socket={$database['unix_socket']}" ) . ";dbname={$database['database']};charset=utf8",
		'postgresql' => "pgsql:host=$host;" . ( $port ? "port=$port;" : '' ) . "dbname={$database['database']}",
		'sqlite'     => 'sqlite:' . ( '/' === $database['database'][0] ? '' : "$root/" ) . $database['database'],
	);
	$link = new PDO( $dsn[ $engine ], $database['username'] ?? null, $database['password'] ?? null, array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 20 ) );
	if ( 'mysql' === $engine ) {
		$link->exec( "SET SESSION sql_mode = 'ANSI'" );
	}
	$table = static fn( $name ) => '"' . str_replace( '"', '', $prefix . $name ) . '"';
	foreach ( $link->query( 'SELECT type, name FROM ' . $table( 'system' ) . ' WHERE status = 1' ) as $row ) {
		$active[ "{$row[0]}:{$row[1]}" ] = true;
	}
	$row  = $link->query( 'SELECT value FROM ' . $table( 'variable' ) . " WHERE name = 'user_admin_role'" )->fetch();
	$blob = $row && is_resource( $row[0] ) ? (string) stream_get_contents( $row[0] ) : ( $row[0] ?? '' );
	$role = (int) @unserialize( (string) $blob, array( 'allowed_classes' => false ) );
	$ask  = $link->prepare( 'SELECT DISTINCT u.name, u.mail FROM ' . $table( 'users' ) . ' u LEFT JOIN ' . $table( 'users_roles' ) . ' r ON r.uid = u.uid WHERE u.status = 1 AND u.uid > 0 AND (u.uid = 1 OR r.rid = ?) ORDER BY u.name LIMIT ' . INTENDANT_MOST );
	$ask->execute( array( $role > 0 ? $role : -1 ) );
	$document['administrators'] = array();
	foreach ( $ask as $row ) {
		$document['administrators'][] = array( 'name' => (string) $row[0], 'contact' => substr( hash( 'sha256', strtolower( (string) $row[1] ) ), 0, 16 ) );
	}
	if ( preg_match( '/^(?:5\.5\.5-)?([0-9.]*[0-9])/', (string) $link->getAttribute( PDO::ATTR_SERVER_VERSION ), $part ) ) {
		$document['platform']['database'] = $part[1];
	}
} catch ( PDOException $error ) {
	fwrite( STDERR, 'the database does not answer: ' . $error->getMessage() . "\n" );
	exit( 6 );
}
$all = intendant_extensions( $root );
foreach ( $all as $id => $one ) {
	$project = $one['project'] ?? null;
	$parent  = null;
	// A module that comes with another one is its child.
	foreach ( $all as $other => $above ) {
		$within = 0 === strpos( $one['folder'] . '/', $above['folder'] . '/' );
		if ( $other !== $id && $within && ( $one['folder'] !== $above['folder'] || null !== $project && $project === $above['slug'] ) ) {
			$parent = $other;
			break;
		}
	}
	$document['extensions'][] = array(
		'kind'    => $one['kind'],
		'slug'    => $one['slug'],
		'title'   => $one['name'] ?? $one['slug'],
		'version' => $version( $one['version'] ?? null ),
		'active'  => isset( $active[ $id ] ),
		'shipped' => null !== $parent,
		'parent'  => $parent,
	);
}
echo "\n@intendant-inventory@" . json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
