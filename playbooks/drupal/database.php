<?php
/**
 * Reads the database's access from the site's own settings.php, without running Drupal.
 *
 *   php database.php ROOT credentials   how the client on this host logs in, for it only
 *   php database.php ROOT describe      engine, name and prefix, no secret
 *   php database.php ROOT people        who may do everything, and what is under way, no secret
 *   php database.php ROOT evaluate WAY  (by itself) what settings.php says, through a pipe
 *
 * settings.php is the site's own program (settings.local.php, environment variables, .env files …). It is run as
 * the site's own account, as for every visitor, in a process of its own: what it breaks, it breaks there.
 */

require __DIR__ . '/site.php';

if ( 'evaluate' === ( $argv[2] ?? '' ) ) {
	intendant_evaluate( intendant_project( $argv[1] ), $argv[3] );
	exit( 0 );
}

/** Runs settings.php; with the project's class loader first ("whole"), or only when a class is asked for ("alone"). */
function intendant_evaluate( array $intendant_project, string $intendant_way ): void {
	$intendant_loader = $intendant_project['vendor'] . '/autoload.php';
	ob_start();
	$class_loader = null;
	if ( 'whole' === $intendant_way && is_file( $intendant_loader ) ) {
		try {
			$class_loader = include $intendant_loader;
		} catch ( \Throwable $error ) {
			fwrite( STDERR, 'the class loader of the vendor folder fails: ' . $error->getMessage() . "\n" );
		}
		// The core has it before it reads settings.php, whoever defines it.
		defined( 'DRUPAL_ROOT' ) || define( 'DRUPAL_ROOT', $intendant_project['webroot'] );
	} else {
		// The loader brings it with the core's includes/bootstrap.inc.
		define( 'DRUPAL_ROOT', $intendant_project['webroot'] );
		spl_autoload_register(
			static function ( $class ) use ( $intendant_loader, $intendant_project ) {
				static $loader = null;
				// The core's own need no class loader, which may be what is broken.
				$file = $intendant_project['webroot'] . '/core/lib/' . str_replace( '\\', '/', $class ) . '.php';
				if ( preg_match( '/^Drupal\\\\(?:Core|Component)\\\\[\w\\\\]+$/', $class ) && is_file( $file ) ) {
					include $file;
					return;
				}
				if ( null === $loader && is_file( $intendant_loader ) ) {
					$loader = false;
					$loader = include $intendant_loader;
				}
				if ( is_object( $loader ) ) {
					$loader->loadClass( $class );
				}
			}
		);
	}
	$app_root  = $intendant_project['webroot'];
	$site_path = 'sites/' . basename( (string) $intendant_project['site'] );
	$databases = array();
	$settings  = array();
	$config    = array();
	chdir( $app_root );
	$intendant_whole = false;
	try {
		include $intendant_project['site'] . '/settings.php';
		$intendant_whole = true;
	} catch ( \Throwable $error ) {
		fwrite( STDERR, 'settings.php fails: ' . $error->getMessage() . "\n" );
		if ( ! intendant_is_settled( $intendant_project['site'] . '/settings.php', $error ) ) {
			$databases = array();
		}
	}
	while ( ob_get_level() ) {
		ob_end_clean();
	}
	$one = $databases['default']['default'] ?? null;
	if ( is_array( $one ) && isset( $one[0] ) && is_array( $one[0] ) ) {
		$one = $one[0];
	}
	if ( is_array( $one ) && isset( $one['pdo'] ) ) {
		$one['ssl-ca'] = defined( 'PDO::MYSQL_ATTR_SSL_CA' ) ? $one['pdo'][ PDO::MYSQL_ATTR_SSL_CA ] ?? null : null;
	}
	$one = is_array( $one ) ? array_filter( $one, static fn( $part ) => ! is_object( $part ) ) : null;
	echo "\n@intendant-settings@" . base64_encode( serialize( array( 'whole' => $intendant_whole, 'database' => $one ) ) ) . "\n";
}

/** Whether nothing is left to be said of the database, from the statement of settings.php that threw to its end. */
function intendant_is_settled( string $file, \Throwable $error ): bool {
	$line = null;
	foreach ( array_merge( array( array( 'file' => $error->getFile(), 'line' => $error->getLine() ) ), $error->getTrace() ) as $frame ) {
		// The outermost: a function of its own may stand anywhere.
		$line = realpath( $frame['file'] ?? '' ) === realpath( $file ) ? $frame['line'] ?? $line : $line;
	}
	if ( null === $line || ! function_exists( 'token_get_all' ) ) {
		return false;
	}
	// Of what stood before that line only its own statement counts.
	$settled = true;
	$at      = 1;
	$depth   = 0;
	foreach ( token_get_all( (string) file_get_contents( $file ) ) as $token ) {
		$at    = is_array( $token ) ? $token[2] : $at;
		$text  = is_array( $token ) ? ( in_array( $token[0], array( T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES ), true ) ? '{' : '' ) : $token;
		$depth += in_array( $text, array( '(', '[', '{' ), true ) ? 1 : ( in_array( $text, array( ')', ']', '}' ), true ) ? -1 : 0 );
		if ( ( ';' === $text || '}' === $text ) && 0 === $depth && $at < $line ) {
			$settled = true;
		}
		if ( is_array( $token ) && ( in_array( $token[0], array( T_INCLUDE, T_INCLUDE_ONCE, T_REQUIRE, T_REQUIRE_ONCE, T_EVAL ), true ) || T_VARIABLE === $token[0] && in_array( $token[1], array( '$databases', '$GLOBALS' ), true ) ) ) {
			$settled = false;
		}
	}
	return $settled;
}

/** What settings.php says one way: array( whether it was read to its end, the database or null ). */
function intendant_settings( array $project, string $way ): array {
	$process = proc_open( array( PHP_BINARY, '-d', 'display_errors=stderr', __FILE__, $project['root'], 'evaluate', $way ), array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), STDERR ), $pipes );
	$said    = is_resource( $process ) ? (string) stream_get_contents( $pipes[1], 1 << 20 ) : '';
	if ( is_resource( $process ) ) {
		fclose( $pipes[1] );
		proc_close( $process );
	}
	$read   = preg_match( '/^@intendant-settings@(\S+)$/m', $said, $found ) ? @unserialize( (string) base64_decode( $found[1] ), array( 'allowed_classes' => false ) ) : null;
	$one    = $read['database'] ?? null;
	$driver = is_array( $one ) ? basename( str_replace( '\\', '/', (string) ( $one['driver'] ?? 'mysql' ) ) ) : '';
	if ( ! is_array( $one ) || ! is_string( $one['database'] ?? null ) || '' === $one['database'] || ( 'sqlite' !== $driver && ! is_string( $one['username'] ?? null ) ) ) {
		return array( ! empty( $read['whole'] ), null );
	}
	$prefix        = $one['prefix'] ?? '';
	$one['prefix'] = (string) ( is_array( $prefix ) ? $prefix['default'] ?? '' : $prefix );
	$one['driver'] = $driver;
	return array( ! empty( $read['whole'] ), $one );
}

function intendant_database( array $project ): array {
	if ( null === $project['site'] ) {
		fwrite( STDERR, "no settings.php that can be read in {$project['webroot']}/sites/default, and not just one beside it (several sites in one folder are not supported)\n" );
		exit( 3 );
	}
	// Packages that fill the environment (.env files) do so when the class loader begins.
	$ways   = empty( $project['composer']['autoload']['files'] ) ? array( 'alone', 'whole' ) : array( 'whole', 'alone' );
	$broken = array();
	foreach ( $ways as $way ) {
		list( $whole, $one ) = intendant_settings( $project, $way );
		if ( $whole && null !== $one ) {
			return $one;
		}
		if ( ! $whole ) {
			$broken[] = $one;
		}
	}
	// What stood there when settings.php broke off may be a default that its rest replaces. It counts where its rest has nothing
	// to say of that (a package is missing whose class comes later), and both ways agree.
	if ( 2 === count( $broken ) && null !== $broken[0] && $broken[0] === $broken[1] ) {
		return $broken[0];
	}
	fwrite(
		STDERR,
		$broken
			? "{$project['site']}/settings.php can't be read to its end when the command line asks (the reason stands above), so nobody knows which database is meant in the end: mend that, or give this account what settings.php needs\n"
			: "{$project['site']}/settings.php names no database when the command line asks; it may need environment variables that only the web server has: give them to this account, too\n"
	);
	exit( 4 );
}

function intendant_connect( array $database, array $project ): PDO {
	$port = isset( $database['port'] ) && '' !== (string) $database['port'] ? ';port=' . (int) $database['port'] : '';
	$host = (string) ( $database['host'] ?? 'localhost' );
	if ( 'sqlite' === $database['driver'] ) {
		$path = $database['database'];
		$dsn  = 'sqlite:' . ( '/' === $path[0] ? $path : $project['webroot'] . '/' . $path );
	} elseif ( 'pgsql' === $database['driver'] ) {
		$dsn = "pgsql:host=$host$port;dbname={$database['database']}";
	} else {
		$dsn = 'mysql:' . ( empty( $database['unix_socket'] ) ? "host=$host$port" : "unix_socket={$database['unix_socket']}" ) . ";dbname={$database['database']};charset=utf8mb4";
	}
	$options = array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 20 );
	if ( ! empty( $database['ssl-ca'] ) ) {
		$options[ PDO::MYSQL_ATTR_SSL_CA ] = $database['ssl-ca'];
	}
	$link = new PDO( $dsn, $database['username'] ?? null, $database['password'] ?? null, $options );
	if ( 'mysql' === $database['driver'] ) {
		$link->exec( "SET SESSION sql_mode = 'ANSI'" );
	}
	return $link;
}

/** A table's name, quoted, with the site's prefix. */
function intendant_table( array $database, string $name ): string {
	return '"' . str_replace( '"', '', $database['prefix'] . $name ) . '"';
}

if ( realpath( (string) ( $argv[0] ?? '' ) ) !== __FILE__ ) {
	return;
}
$project  = intendant_project( $argv[1] );
$database = intendant_database( $project );
$engines  = array( 'mysql' => 'mysql', 'pgsql' => 'postgresql', 'sqlite' => 'sqlite' );
$engine   = $engines[ $database['driver'] ] ?? null;
if ( 'describe' === $argv[2] ) {
	$name = $database['database'];
	// Drupal itself counts from the web root.
	if ( 'sqlite' === $engine && '/' !== $name[0] ) {
		$name = $project['webroot'] . '/' . $name;
	}
	echo "\n@intendant-database@" . json_encode( array( 'engine' => $engine ?? $database['driver'], 'name' => $name, 'prefix' => $database['prefix'] ), JSON_UNESCAPED_SLASHES ) . "\n";
	exit( 0 );
}

if ( 'people' === $argv[2] ) {
	try {
		$link  = intendant_connect( $database, $project );
		$roles = array();
		foreach ( $link->query( 'SELECT data FROM ' . intendant_table( $database, 'config' ) . " WHERE collection = '' AND name LIKE 'user.role.%'" ) as list( $data ) ) {
			$role = @unserialize( is_resource( $data ) ? (string) stream_get_contents( $data ) : (string) $data, array( 'allowed_classes' => false ) );
			if ( is_array( $role ) && ! empty( $role['is_admin'] ) ) {
				$roles[] = (string) ( $role['id'] ?? '' );
			}
		}
		$marks = implode( ', ', array_fill( 0, max( 1, count( $roles ) ), '?' ) );
		$ask   = $link->prepare(
			'SELECT DISTINCT u.name, u.mail FROM ' . intendant_table( $database, 'users_field_data' ) . ' u LEFT JOIN ' . intendant_table( $database, 'user__roles' ) .
			" r ON r.entity_id = u.uid WHERE u.status = 1 AND u.uid > 0 AND (u.uid = 1 OR r.roles_target_id IN ($marks)) ORDER BY u.name LIMIT " . INTENDANT_MOST
		);
		$ask->execute( $roles ?: array( '' ) );
		$people = array();
		foreach ( $ask as $row ) {
			$people[] = array( 'name' => (string) $row[0], 'contact' => substr( hash( 'sha256', strtolower( (string) $row[1] ) ), 0, 16 ) );
		}
		$document = array( 'administrators' => $people );
		$ask      = $link->prepare( 'SELECT name, expire FROM ' . intendant_table( $database, 'semaphore' ) . " WHERE name IN ('config_importer', 'package_manager')" );
		$ask->execute();
		foreach ( $ask as list( $name, $until ) ) {
			$document[ (float) $until > time() ? 'busy' : 'leftovers' ][] = array( 'what' => "the lock $name in the table semaphore" );
		}
		$version = (string) $link->getAttribute( PDO::ATTR_SERVER_VERSION );
		if ( preg_match( '/^(?:5\.5\.5-)?([0-9.]*[0-9])/', $version, $found ) ) {
			$document['platform'] = array( 'database' => $found[1] );
		}
	} catch ( PDOException $error ) {
		fwrite( STDERR, 'the database does not answer: ' . $error->getMessage() . "\n" );
		exit( 6 );
	}
	echo "\n@intendant-people@" . json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE ) . "\n";
	exit( 0 );
}

if ( 'postgresql' === $engine ) {
	$lines = array( '[client]', 'host=' . ( $database['host'] ?? 'localhost' ), 'user=' . $database['username'], 'password=' . ( $database['password'] ?? '' ) );
	if ( isset( $database['port'] ) && '' !== (string) $database['port'] ) {
		$lines[] = 'port=' . (int) $database['port'];
	}
	if ( preg_match( '/[\r\n]/', implode( '', $lines ) ) ) {
		fwrite( STDERR, "a line break in the database's access can't be passed on\n" );
		exit( 5 );
	}
	echo implode( "\n", $lines ) . "\n";
	exit( 0 );
}
if ( 'mysql' !== $engine ) {
	fwrite( STDERR, "a database of the sort {$database['driver']} has no access to tell of\n" );
	exit( 5 );
}
$quote = static function ( $value ) {
	return '"' . str_replace( array( '\\', '"', "\n", "\r", "\t" ), array( '\\\\', '\\"', '\\n', '\\r', '\\t' ), (string) $value ) . '"';
};
$host  = (string) ( $database['host'] ?? 'localhost' );
$lines = array( '[client]', 'user=' . $quote( $database['username'] ), 'password=' . $quote( $database['password'] ?? '' ) );
if ( ! empty( $database['unix_socket'] ) ) {
	$lines[] = 'socket=' . $quote( $database['unix_socket'] );
} else {
	$lines[] = 'host=' . $quote( $host );
	if ( isset( $database['port'] ) && '' !== (string) $database['port'] ) {
		$lines[] = 'port=' . (int) $database['port'];
	}
	if ( ! empty( $database['ssl-ca'] ) ) {
		$lines[] = 'ssl-ca=' . $quote( $database['ssl-ca'] );
	} elseif ( 'localhost' !== $host ) {
		// As the site itself connects; newer clients would insist on TLS.
		$lines[] = 'loose-skip-ssl';
	}
}
echo implode( "\n", $lines ) . "\n";
