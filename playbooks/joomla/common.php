<?php
/**
 * What the scripts beside this one share: the site's configuration, its database, the names of its
 * extensions, and Joomla's own commands. Nothing of Joomla runs here, so all of it works on a site that
 * is broken. It reads Joomla 3.10 to 6.
 */

ini_set( 'display_errors', 'stderr' );
error_reporting( E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING );

const INTENDANT_MOST        = 5000;
const INTENDANT_MOST_OUTPUT = 4000000;

/** The first lines of a text, on one line. */
function intendant_line( $text, $most = 300 ) {
	return substr( trim( preg_replace( '/[\s\x00-\x1f]+/', ' ', (string) $text ) ), 0, $most );
}

/** Ends with a reason on standard error. */
function intendant_fail( $why, $exit ) {
	fwrite( STDERR, intendant_line( $why, 2000 ) . "\n" );
	exit( $exit );
}

// A trace could show what was given to a function, such as a password.
set_exception_handler(
	static function ( $error ) {
		intendant_fail( get_class( $error ) . ': ' . $error->getMessage(), 9 );
	}
);

/** The site's configuration, as an array. It is the site's own program, and runs as the site's own account. */
function intendant_config( $root ) {
	$file = "$root/configuration.php";
	if ( ! is_readable( $file ) ) {
		intendant_fail( "no readable configuration.php in $root", 3 );
	}
	defined( '_JEXEC' ) || define( '_JEXEC', 1 );
	ob_start();
	require_once $file;
	ob_end_clean();
	if ( ! class_exists( 'JConfig', false ) ) {
		intendant_fail( "$file does not define JConfig", 4 );
	}
	return get_object_vars( new JConfig() );
}

/** Host, port and socket of what Joomla calls the host: `name`, `name:port`, `[address]:port`, `unix:/socket`, `name:/socket`. */
function intendant_host( $text ) {
	$text = trim( (string) $text );
	if ( preg_match( '/^(?:unix|[^:\/]*):(\/.+)$/', $text, $parts ) ) {
		return [ 'localhost', null, $parts[1] ];
	}
	if ( preg_match( '/^\[([0-9a-fA-F:]+)\](?::([0-9]+))?$/', $text, $parts ) || preg_match( '/^([^:]+):([0-9]+)$/', $text, $parts ) ) {
		return [ $parts[1], isset( $parts[2] ) ? (int) $parts[2] : null, null ];
	}
	return [ '' === $text ? 'localhost' : $text, null, null ];
}

/** Whether the database is one that this playbook knows. */
function intendant_is_mysql( $config ) {
	return in_array( strtolower( (string) ( isset( $config['dbtype'] ) ? $config['dbtype'] : 'mysqli' ) ), [ 'mysqli', 'mysql', 'pdomysql' ], true );
}

/** The site's own database, with its own account. */
final class IntendantDatabase {
	private $link;
	private $prefix;

	public function __construct( $config ) {
		list( $host, $port, $socket ) = intendant_host( $config['host'] );
		$this->prefix = (string) $config['dbprefix'];
		if ( ! intendant_is_mysql( $config ) ) {
			intendant_fail( 'the database is ' . intendant_line( $config['dbtype'] ) . '; this playbook knows MariaDB and MySQL', 5 );
		}
		try {
			if ( extension_loaded( 'mysqli' ) ) {
				mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
				$this->link = new mysqli( $host, $config['user'], $config['password'], $config['db'], (int) $port, (string) $socket );
				$this->link->set_charset( 'utf8mb4' );
			} else {
				$place      = null === $socket ? "host=$host" . ( $port ? ";port=$port" : '' ) : "unix_socket=$socket";
				$options    = [ PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION ];
				$this->link = new PDO( "mysql:$place;dbname={$config['db']};charset=utf8mb4", $config['user'], $config['password'], $options );
			}
		} catch ( Throwable $error ) {
			intendant_fail( 'the database refuses the account of configuration.php: ' . $error->getMessage(), 6 );
		}
	}

	/** Rows of a query in which `#__`, outside of values, stands for the prefix. */
	public function rows( $sql ) {
		$parts  = preg_split( "/('(?:[^'\\\\]++|\\\\.|'')*+')/s", $sql, -1, PREG_SPLIT_DELIM_CAPTURE );
		$result = $this->link->query(
			implode(
				'',
				array_map(
					function ( $part ) {
						return '' !== $part && "'" === $part[0] ? $part : str_replace( '#__', $this->prefix, $part );
					},
					$parts
				)
			)
		);
		if ( is_bool( $result ) ) {
			return [];
		}
		return $result instanceof mysqli_result ? $result->fetch_all( MYSQLI_ASSOC ) : $result->fetchAll( PDO::FETCH_ASSOC );
	}

	/** The same, or nothing where this version of Joomla has no such table or column. */
	public function rows_if( $sql ) {
		try {
			return $this->rows( $sql );
		} catch ( Throwable $error ) {
			return [];
		}
	}

	/** A value as SQL. */
	private function quoted( $value ) {
		if ( null === $value ) {
			return 'NULL';
		}
		return $this->link instanceof mysqli ? "'" . $this->link->real_escape_string( $value ) . "'" : $this->link->quote( $value );
	}

	/** Writes a row as it is. */
	public function insert( $table, $row ) {
		$this->rows( "INSERT INTO $table (`" . implode( '`, `', array_keys( $row ) ) . '`) VALUES (' . implode( ', ', array_map( [ $this, 'quoted' ], $row ) ) . ')' );
	}

	/** Makes the row of this key as it is given. */
	public function update( $table, $key, $row ) {
		$parts = [];
		foreach ( $row as $name => $value ) {
			$parts[] = "`$name` = " . $this->quoted( $value );
		}
		$this->rows( "UPDATE $table SET " . implode( ', ', $parts ) . " WHERE $key = " . (int) $row[ $key ] );
	}

	/** The number that the next row of a table gets. */
	public function next_number( $table ) {
		// Newer MySQL remembers an old answer otherwise.
		$this->rows_if( 'SET SESSION information_schema_stats_expiry = 0' );
		$name = str_replace( '#__', $this->prefix, $table );
		$rows = $this->rows_if( 'SELECT auto_increment AS next FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ' . $this->quoted( $name ) );
		return $rows ? $rows[0]['next'] : null;
	}

	/** The first value of the first row. */
	public function value( $sql ) {
		$rows = $this->rows( $sql );
		return $rows ? reset( $rows[0] ) : null;
	}
}

/** The version of the files; whatever the database says, this is what runs. */
function intendant_core_version( $root ) {
	$text  = (string) @file_get_contents( "$root/libraries/src/Version.php" );
	$parts = [];
	foreach ( [ 'MAJOR', 'MINOR', 'PATCH' ] as $part ) {
		if ( ! preg_match( "/const\s+{$part}_VERSION\s*=\s*([0-9]+)\s*;/", $text, $found ) ) {
			return null;
		}
		$parts[] = $found[1];
	}
	$extra = preg_match( "/const\s+EXTRA_VERSION\s*=\s*'([^']*)'\s*;/", $text, $found ) ? $found[1] : '';
	return implode( '.', $parts ) . ( '' === $extra ? '' : '-' . $extra );
}

/** What Joomla itself lists as its own: `type element folder client` => true; none where it does not say. */
function intendant_core_extensions( $root ) {
	$file = "$root/libraries/src/Extension/ExtensionHelper.php";
	$all  = [];
	if ( is_readable( $file ) ) {
		defined( '_JEXEC' ) || define( '_JEXEC', 1 );
		defined( 'JPATH_PLATFORM' ) || define( 'JPATH_PLATFORM', "$root/libraries" );
		try {
			require_once $file;
			foreach ( Joomla\CMS\Extension\ExtensionHelper::getCoreExtensions() as $one ) {
				$all[ implode( ' ', array_slice( array_values( (array) $one ), 0, 4 ) ) ] = true;
			}
		} catch ( Throwable $error ) {
			$all = [];
		}
	}
	return $all;
}

/** Every installed extension but the core itself, by its number; with `kind` and `slug` as plans name it. */
function intendant_extensions( $db, $root ) {
	$rows = [];
	foreach ( $db->rows( 'SELECT * FROM #__extensions WHERE state >= 0 ORDER BY extension_id LIMIT ' . INTENDANT_MOST ) as $row ) {
		$rows[ (int) $row['extension_id'] ] = $row;
	}
	$core  = intendant_core_extensions( $root );
	$packs = [];
	foreach ( $rows as $row ) {
		if ( $row['package_id'] ) {
			$only                              = isset( $packs[ (int) $row['package_id'] ] ) ? $packs[ (int) $row['package_id'] ] : true;
			$packs[ (int) $row['package_id'] ] = $only && 'language' === $row['type'];
		}
	}
	foreach ( $rows as $id => $row ) {
		$key  = implode( ' ', [ $row['type'], $row['element'], $row['folder'], (int) $row['client_id'] ] );
		$kind = $row['type'];
		if ( in_array( $kind, [ 'module', 'template' ], true ) && 1 === (int) $row['client_id'] ) {
			$kind = "admin-$kind";
		}
		if ( 'package' === $kind && ! empty( $packs[ $id ] ) ) {
			// A pack that holds nothing but translations is a language, and moves after all that it translates.
			$kind = 'language';
		}
		$rows[ $id ]['kind']     = $kind;
		$rows[ $id ]['slug']     = 'plugin' === $kind ? $row['folder'] . '/' . $row['element'] : $row['element'];
		$rows[ $id ]['shipped']  = $core ? isset( $core[ $key ] ) : ! empty( $row['locked'] );
		$rows[ $id ]['is_core']  = 'file' === $row['type'] && 'joomla' === $row['element'];
		$rows[ $id ]['manifest'] = json_decode( $row['manifest_cache'], true );
	}
	return $rows;
}

/** The folders and files of an extension, below the root; its manifest first. */
function intendant_places( $row ) {
	$side    = [ 0 => '', 1 => 'administrator/', 3 => 'api/' ];
	$side    = isset( $side[ (int) $row['client_id'] ] ) ? $side[ (int) $row['client_id'] ] : '';
	$element = $row['element'];
	if ( 1 !== preg_match( '#^[A-Za-z0-9_][A-Za-z0-9_.\-/]*$#', $element ) || false !== strpos( $element, '..' ) ) {
		return [];
	}
	switch ( $row['type'] ) {
		case 'component':
			$name = preg_replace( '/^com_/', '', $element );
			return [ "administrator/components/$element/$name.xml", "administrator/components/$element", "components/$element" ];
		case 'module':
			return [ "{$side}modules/$element/$element.xml", "{$side}modules/$element" ];
		case 'plugin':
			$folder = preg_replace( '/[^A-Za-z0-9_.-]/', '', $row['folder'] );
			return [ "plugins/$folder/$element/$element.xml", "plugins/$folder/$element" ];
		case 'template':
			return [ "{$side}templates/$element/templateDetails.xml", "{$side}templates/$element" ];
		case 'language':
			return [ "{$side}language/$element/install.xml", "{$side}language/$element" ];
		case 'library':
			return [ "administrator/manifests/libraries/$element.xml", "libraries/$element" ];
		case 'package':
			return [ "administrator/manifests/packages/$element.xml" ];
		case 'file':
			return [ "administrator/manifests/files/$element.xml" ];
	}
	return [];
}

/** An extension's manifest on disk; none where there is no readable one. */
function intendant_manifest( $root, $row ) {
	$places = intendant_places( $row );
	$file   = $places ? "$root/$places[0]" : '';
	if ( '' === $file || ! is_file( $file ) || filesize( $file ) > 1000000 ) {
		return null;
	}
	$before = libxml_use_internal_errors( true );
	$xml    = simplexml_load_string( (string) @file_get_contents( $file ), 'SimpleXMLElement', LIBXML_NONET );
	libxml_use_internal_errors( $before );
	return $xml ? $xml : null;
}

/** The version that is installed: of the file and of Joomla's own note of it the lesser, so that half an update is none. */
function intendant_version( $root, $row ) {
	$noted = isset( $row['manifest']['version'] ) && is_scalar( $row['manifest']['version'] ) ? trim( (string) $row['manifest']['version'] ) : '';
	$xml   = intendant_manifest( $root, $row );
	$found = $xml && isset( $xml->version ) ? trim( (string) $xml->version ) : '';
	if ( '' === $noted || '' === $found ) {
		return '' === $noted . $found ? null : $noted . $found;
	}
	return version_compare( $found, $noted, '<' ) ? $found : $noted;
}

/** The newest change of the tables that the files bring, and the newest that the database has. */
function intendant_schema( $root, $db, $extensions ) {
	$newest = '';
	foreach ( (array) glob( "$root/administrator/components/com_admin/sql/updates/mysql/*.sql" ) as $file ) {
		$name = basename( $file, '.sql' );
		if ( '' === $newest || version_compare( $name, $newest, '>' ) ) {
			$newest = $name;
		}
	}
	foreach ( $extensions as $id => $row ) {
		if ( $row['is_core'] && '' !== $newest ) {
			return [ 'code' => $newest, 'data' => (string) $db->value( 'SELECT version_id FROM #__schemas WHERE extension_id = ' . (int) $id ) ];
		}
	}
	return null;
}

/** Runs one of Joomla's own commands: exit code, standard output, standard error. Joomla 3.10 has none; legacy.php stands for them. */
function intendant_joomla( $root, $arguments ) {
	$program = is_file( "$root/cli/joomla.php" ) ? [ "$root/cli/joomla.php" ] : [ __DIR__ . '/legacy.php', $root ];
	$program = array_merge( [ PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'memory_limit=512M' ], $program, $arguments );
	if ( ! function_exists( 'proc_open' ) ) {
		return [ 127, '', 'proc_open is switched off in PHP on this host' ];
	}
	$command = implode( ' ', array_map( 'escapeshellarg', $program ) );
	$errors  = tmpfile();
	$process = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], $errors ], $pipes, $root );
	if ( ! is_resource( $process ) ) {
		return [ 127, '', 'Joomla\'s command can\'t be started' ];
	}
	$output = (string) stream_get_contents( $pipes[1], INTENDANT_MOST_OUTPUT );
	fclose( $pipes[1] );
	$exit = proc_close( $process );
	rewind( $errors );
	return [ $exit, $output, (string) stream_get_contents( $errors, 100000 ) ];
}

/**
 * Has Joomla ask all its update services anew, and gives what its commands said and what the tables had then. The commands
 * run in turn, and once for all who want to know within two minutes, because each of them empties and fills the same table.
 * Then the tables are put back: looking changes nothing.
 */
function intendant_refresh( $root, $db, $scratch ) {
	$lock = fopen( "$scratch/refresh.lock", 'c+' );
	if ( ! $lock || ! flock( $lock, LOCK_EX ) ) {
		intendant_fail( "$scratch can't be written", 8 );
	}
	$kept = json_decode( (string) stream_get_contents( $lock ), true );
	if ( is_array( $kept ) && time() - (int) $kept['ended'] < 120 ) {
		return $kept;
	}
	$note   = new IntendantNote( $root );
	$note->put_back( $db );
	$before = new IntendantMemory( $db );
	$note->keep( $before );
	// Also when a command is killed from outside, or this is ended by a signal. What is killed for good, the next one finds in the note.
	$as_before = static function () use ( $before, $note ) {
		$before->put_back();
		$note->remove();
	};
	register_shutdown_function( $as_before );
	foreach ( function_exists( 'pcntl_async_signals' ) && function_exists( 'pcntl_signal' ) ? [ 15, 1, 2 ] : [] as $signal ) {
		pcntl_async_signals( true );
		pcntl_signal(
			$signal,
			static function ( $signal ) {
				exit( 128 + $signal );
			},
			false
		);
	}
	// What was asked lately would not be asked again; Joomla writes there when it asked, so a service that still has none was not asked.
	$db->rows( 'UPDATE #__update_sites SET last_check_timestamp = 0 WHERE enabled = 1' );
	$said = '';
	foreach ( [ 'update:extensions:check', 'core:check-updates' ] as $command ) {
		list( $exit, $output, $errors ) = intendant_joomla( $root, [ $command ] );
		// A line of a site must not look like ours.
		$said .= str_replace( '@intendant', '(intendant', $output ) . "\n@intendant-command@ $command $exit " . intendant_line( $errors ) . "\n";
	}
	$kept = [
		'ended'    => time(),
		'said'     => $said,
		'updates'  => $db->rows( 'SELECT * FROM #__updates WHERE extension_id <> 0 LIMIT ' . INTENDANT_MOST ),
		'services' => $db->rows( 'SELECT * FROM #__update_sites ORDER BY update_site_id LIMIT ' . INTENDANT_MOST ),
		'releases' => $db->rows_if( 'SELECT targets FROM #__tuf_metadata LIMIT 10' ),
	];
	$as_before();
	require_once __DIR__ . '/lists.php';
	$kept['odd'] = (object) intendant_odd_lists( $root, $kept['services'] );
	ftruncate( $lock, 0 );
	rewind( $lock );
	$text = json_encode( $kept, JSON_INVALID_UTF8_SUBSTITUTE );
	fwrite( $lock, $text );
	return json_decode( $text, true );
}

/**
 * Which update services were switched on before Joomla was asked, in a file that outlives this: Joomla switches each of them off
 * while it waits for its answer, so whoever is killed then leaves it off, and nothing of it is asked any more. The file lies in the
 * account's home, outside of what the web server shows, has no secret, and is removed when all is as before. While it is there its
 * lock keeps others that look at this site waiting.
 */
final class IntendantNote {
	/** After so many seconds it is somebody's decision that a service is off. */
	const OLDEST = 604800;

	private $file;
	private $held;

	public function __construct( $root ) {
		$home = (string) getenv( 'HOME' );
		if ( '' === $home || ! is_dir( $home ) || ! is_writable( $home ) ) {
			return;
		}
		$file = "$home/.intendant-joomla-" . substr( hash( 'sha256', (string) realpath( $root ) ), 0, 32 );
		// Whoever had it before may have removed it meanwhile.
		for ( $tries = 0; $tries < 20; ++$tries ) {
			$before = umask( 077 );
			$held   = is_link( $file ) ? false : @fopen( $file, 'c+' );
			umask( $before );
			if ( ! $held ) {
				return;
			}
			if ( ! flock( $held, LOCK_EX ) ) {
				// This file system has no locks; without one there is no note.
				unlink( $file );
				return;
			}
			clearstatcache( true, $file );
			if ( is_file( $file ) && fstat( $held )['ino'] === fileinode( $file ) ) {
				$this->file = $file;
				$this->held = $held;
				return;
			}
			fclose( $held );
		}
	}

	/** Switches on again what one that was killed left off. */
	public function put_back( $db ) {
		$noted = $this->held ? json_decode( (string) stream_get_contents( $this->held, 1000000 ), true ) : null;
		if ( ! is_array( $noted ) || ! isset( $noted['at'], $noted['on'] ) || ! is_array( $noted['on'] ) || time() - (int) $noted['at'] > self::OLDEST ) {
			return;
		}
		foreach ( $noted['on'] as $id => $asked ) {
			$db->rows( 'UPDATE #__update_sites SET enabled = 1, last_check_timestamp = ' . (int) $asked . ' WHERE (enabled = 0 OR last_check_timestamp = 0) AND update_site_id = ' . (int) $id );
		}
	}

	public function keep( IntendantMemory $memory ) {
		if ( $this->held ) {
			ftruncate( $this->held, 0 );
			rewind( $this->held );
			fwrite( $this->held, (string) json_encode( [ 'at' => time(), 'on' => (object) $memory->switched_on() ] ) );
			fflush( $this->held );
		}
	}

	/** All is as before. */
	public function remove() {
		if ( $this->held ) {
			unlink( $this->file );
			fclose( $this->held );
			$this->held = null;
		}
	}
}

/** What Joomla remembers of its update services, to be put back as it was. */
final class IntendantMemory {
	private $db;
	private $rows = [];
	private $next;

	public function __construct( $db ) {
		$this->db   = $db;
		$this->next = $db->next_number( '#__updates' );
		foreach ( [ '#__updates', '#__update_sites', '#__tuf_metadata' ] as $table ) {
			$this->rows[ $table ] = $db->rows_if( "SELECT * FROM $table LIMIT 100000" );
		}
	}

	/** The services that are switched on, and when each was asked. */
	public function switched_on() {
		$on = [];
		foreach ( $this->rows['#__update_sites'] as $row ) {
			if ( (int) $row['enabled'] ) {
				$on[ (int) $row['update_site_id'] ] = (int) $row['last_check_timestamp'];
			}
		}
		return $on;
	}

	/** Only what differs is written. A site that was added meanwhile is left alone, and so is one that was removed. */
	public function put_back() {
		$rows       = $this->rows;
		$this->rows = [];
		if ( ! $rows ) {
			return;
		}
		foreach ( [ '#__update_sites' => 'update_site_id', '#__tuf_metadata' => 'id' ] as $table => $key ) {
			foreach ( $rows[ $table ] as $row ) {
				$now = $this->db->rows( "SELECT * FROM $table WHERE $key = " . (int) $row[ $key ] );
				if ( $now && $now[0] !== $row ) {
					$this->db->update( $table, $key, $row );
				}
			}
		}
		if ( $this->db->rows( 'SELECT * FROM #__updates LIMIT 100000' ) !== $rows['#__updates'] ) {
			$this->db->rows( 'DELETE FROM #__updates' );
			foreach ( $rows['#__updates'] as $row ) {
				$this->db->insert( '#__updates', $row );
			}
		}
		if ( null !== $this->next && $this->db->next_number( '#__updates' ) !== $this->next ) {
			$this->db->rows( 'ALTER TABLE #__updates AUTO_INCREMENT = ' . (int) $this->next );
		}
	}
}
