<?php
/**
 * What the other scripts share: where things lie in a project that Composer built, and how its
 * programs are run. Only files are read here; no code of the site runs.
 */

const INTENDANT_MOST = 5000;
const INTENDANT_LARGEST = 32 * 1024 * 1024;
/** The packages that are WordPress itself: they move together, and have one version. */
const INTENDANT_CORE = array(
	'roots/wordpress',
	'roots/wordpress-no-content',
	'roots/wordpress-full',
	'johnpbloch/wordpress',
	'johnpbloch/wordpress-core',
);
const INTENDANT_KINDS = array(
	'wordpress-plugin'   => 'plugin',
	'wordpress-theme'    => 'theme',
	'wordpress-muplugin' => 'mu-plugin',
);

error_reporting( E_ALL & ~E_DEPRECATED );
ini_set( 'display_errors', 'stderr' );

function intendant_json_file( string $file ): ?array {
	if ( ! is_readable( $file ) || filesize( $file ) > INTENDANT_LARGEST ) {
		return null;
	}
	$read = json_decode( (string) file_get_contents( $file ), true );
	return is_array( $read ) ? $read : null;
}

/** A path of composer.json, relative to the project and without a slash at its ends; null if it is outside. */
function intendant_below( string $path ): ?string {
	$path  = preg_replace( '{^(\./)+}', '', trim( $path ) );
	$parts = array_filter( explode( '/', rtrim( $path, '/' ) ), static fn( $part ) => '' !== $part && '.' !== $part );
	return '/' === substr( $path, 0, 1 ) || in_array( '..', $parts, true ) ? null : implode( '/', $parts );
}

/**
 * The project: `composer` and `lock` (their contents), `wp` (WordPress's folder), `vendor` (Composer's), `installed` (what
 * Composer says of the vendor folder), `core` (the version on disk), `why` (why nothing can be updated here).
 */
function intendant_project( string $root ): array {
	$root    = rtrim( $root, '/' );
	$project = array(
		'root'     => $root,
		'composer' => intendant_json_file( "$root/composer.json" ),
		'lock'     => intendant_json_file( "$root/composer.lock" ),
		'wp'       => "$root/web/wp",
		'why'      => null,
	);
	$vendor               = $project['composer']['config']['vendor-dir'] ?? 'vendor';
	$project['vendor']    = "$root/" . ( is_string( $vendor ) ? intendant_below( $vendor ) ?? 'vendor' : 'vendor' );
	$project['installed'] = intendant_json_file( $project['vendor'] . '/composer/installed.json' );
	$source               = (string) @file_get_contents( $project['wp'] . '/wp-includes/version.php', false, null, 0, 65536 );
	$project['core']      = preg_match( '/^\s*\$wp_version\s*=\s*\'([^\']+)\'/m', $source, $found ) ? $found[1] : null;

	if ( null === $project['composer'] ) {
		$project['why'] = 'there is no readable composer.json, and WordPress lies in web/wp all the same: put the project in order, then plan its updates';
	} elseif ( null === $project['lock'] ) {
		$project['why'] = 'there is no readable composer.lock, so nobody knows what Composer built: run composer install, then try again';
	} elseif ( ! array_filter( intendant_packages( $project ), static fn( $package ) => in_array( $package['name'], INTENDANT_CORE, true ) ) ) {
		$project['why'] = 'Composer did not install this WordPress: none of its packages (roots/wordpress) is in ' . substr( $project['vendor'], strlen( $root ) + 1 ) . '/composer/installed.json; run composer install, then try again';
	} else {
		$project['why'] = intendant_unequal( $project );
	}
	return $project;
}

/** What Composer says that it installed: name, version, type, folder, dev. */
function intendant_packages( array $project ): array {
	$all = $project['installed']['packages'] ?? $project['installed'] ?? array();
	$out = array();
	foreach ( array_slice( is_array( $all ) ? $all : array(), 0, INTENDANT_MOST ) as $package ) {
		if ( ! is_array( $package ) || ! is_string( $package['name'] ?? null ) || ! is_string( $package['version'] ?? null ) ) {
			continue;
		}
		$place = $package['install-path'] ?? null;
		$out[] = array(
			'name'     => strtolower( $package['name'] ),
			'version'  => $package['version'],
			'type'     => is_string( $package['type'] ?? null ) ? $package['type'] : 'library',
			'requires' => array_map( 'strtolower', array_keys( is_array( $package['require'] ?? null ) ? $package['require'] : array() ) ),
			'folder'   => is_string( $place ) ? ( realpath( $project['vendor'] . '/composer/' . $place ) ?: null ) : null,
		);
	}
	return $out;
}

/** Composer installs the whole of composer.lock at each update: what differs from it already would come along. */
function intendant_unequal( array $project ): ?string {
	$locked = array();
	foreach ( array( 'packages', 'packages-dev' ) as $part ) {
		foreach ( is_array( $project['lock'][ $part ] ?? null ) ? $project['lock'][ $part ] : array() as $package ) {
			if ( is_string( $package['name'] ?? null ) && is_string( $package['version'] ?? null ) ) {
				$locked[ strtolower( $package['name'] ) ] = array( $package['version'], 'packages-dev' === $part );
			}
		}
	}
	$unequal   = array();
	$installed = array();
	foreach ( intendant_packages( $project ) as $package ) {
		$installed[ $package['name'] ] = true;
		$version                       = $locked[ $package['name'] ][0] ?? 'not at all';
		if ( $version !== $package['version'] ) {
			$unequal[] = "{$package['name']} ({$package['version']} is installed, $version is locked)";
		}
	}
	$dev = false !== ( $project['installed']['dev'] ?? true );
	foreach ( $locked as $name => list( $version, $of_dev ) ) {
		if ( ! isset( $installed[ $name ] ) && ( $dev || ! $of_dev ) ) {
			$unequal[] = "$name ($version is locked, and is not installed)";
		}
	}
	return $unequal
		? 'composer.lock is not what is installed: ' . implode( ', ', array_slice( $unequal, 0, 3 ) ) . ( count( $unequal ) > 3 ? ' …' : '' ) . '; put that in order (composer install), then try again'
		: null;
}

/** The kind and name of a package, or null for the core's own. An extension's name is that of its folder, as WordPress has it. */
function intendant_component( array $package ): ?array {
	if ( in_array( $package['name'], INTENDANT_CORE, true ) ) {
		return null;
	}
	$kind = INTENDANT_KINDS[ $package['type'] ] ?? null;
	$slug = null === $package['folder'] ? substr( strrchr( '/' . $package['name'], '/' ), 1 ) : basename( $package['folder'] );
	return $kind ? array( $kind, $slug ) : array( 'library', $package['name'] );
}

/** Of a version that files have and the one that Composer has, Composer's where both say the same: 1.4 and v1.4.0 do. */
function intendant_version( ?string $of_files, string $of_composer ): string {
	$plain = static fn( string $version ) => preg_replace( '/(?:\.0)+$/', '', ltrim( strtolower( $version ), 'v' ) );
	return null === $of_files || '' === $of_files || $plain( $of_files ) === $plain( $of_composer ) || preg_match( '/dev/', $of_composer ) ? $of_composer : $of_files;
}

/** How WP-CLI begins. */
function intendant_wp( array $project, string $program ): array {
	return array( PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'memory_limit=512M', $program, '--no-color', "--path={$project['wp']}" );
}

/** The first thing below a folder that this account can't replace, relative to the project. */
function intendant_unwritable( array $project, string $path ): ?string {
	$seen  = 0;
	$queue = array( $path );
	while ( $queue && $seen < 20000 ) {
		$one = array_pop( $queue );
		++$seen;
		if ( is_link( $one ) ) {
			continue;
		}
		// A file goes by its folder.
		if ( ! is_writable( $one ) && ( is_dir( $one ) || $one === $path ) ) {
			return ltrim( substr( $one, strlen( $project['root'] ) ), '/' );
		}
		foreach ( is_dir( $one ) ? (array) @scandir( $one ) : array() as $name ) {
			if ( is_string( $name ) && '.' !== $name && '..' !== $name ) {
				$queue[] = "$one/$name";
			}
		}
	}
	return null;
}

/** Runs a program and keeps what it prints: status, standard output, standard error. */
function intendant_run( array $argv, string $folder, array $more = array() ): array {
	$out     = tmpfile();
	$err     = tmpfile();
	$process = proc_open( $argv, array( array( 'file', '/dev/null', 'r' ), $out, $err ), $pipes, $folder, $more + getenv() );
	if ( ! is_resource( $process ) ) {
		return array( 127, '', 'it could not be started' );
	}
	$status = proc_close( $process );
	$texts  = array();
	foreach ( array( $out, $err ) as $stream ) {
		rewind( $stream );
		$texts[] = (string) stream_get_contents( $stream, INTENDANT_LARGEST );
	}
	return array( $status, $texts[0], $texts[1] );
}

/** The first JSON object or list that begins a line, among whatever else was printed. */
function intendant_json( string $text ): ?array {
	if ( ! preg_match_all( '/^[ \t]*([{\[])/m', $text, $found, PREG_OFFSET_CAPTURE ) ) {
		return null;
	}
	foreach ( array_slice( $found[1], 0, 50 ) as list( $bracket, $at ) ) {
		$end = strrpos( $text, '{' === $bracket ? '}' : ']' );
		if ( false !== $end && $end > $at ) {
			$read = json_decode( substr( $text, $at, $end - $at + 1 ), true );
			if ( is_array( $read ) ) {
				return $read;
			}
		}
	}
	return null;
}

/** The last lines of a text in one line, without control characters. */
function intendant_tail( string $text, int $most = 300 ): string {
	$text  = preg_replace( '/\e\[[0-9;]*m/', '', $text );
	$lines = array_map( 'trim', preg_split( '/\R/', $text ) );
	// How a command is used says nothing of why it failed.
	$lines = array_values( array_filter( $lines, static fn( $line ) => '' !== $line && ! preg_match( '/^[\w:-]+ \[-/', $line ) ) );
	$text  = implode( ' / ', array_slice( $lines, -4 ) );
	return (string) preg_replace( '/[[:cntrl:]]+/', ' ', strlen( $text ) > $most ? ( count( $lines ) > 1 ? '…' . substr( $text, -$most ) : substr( $text, 0, $most ) . '…' ) : $text );
}

/** How Composer begins, or null where there is none. */
function intendant_composer( array $project ): ?array {
	$home    = (string) getenv( 'HOME' );
	$folders = array_merge(
		explode( ':', (string) getenv( 'PATH' ) ),
		array( '/usr/local/bin', "$home/bin", "$home/.local/bin", $home, $project['vendor'] . '/bin', $project['root'] )
	);
	foreach ( array( 'composer', 'composer2', 'composer.phar' ) as $name ) {
		foreach ( $folders as $folder ) {
			$file = "$folder/$name";
			if ( '' !== $folder && '/' === $folder[0] && is_file( $file ) && is_readable( $file ) ) {
				$begins = (string) file_get_contents( $file, false, null, 0, 64 );
				return preg_match( '/^(?:#![^\n]*php|<\?php)/', $begins ) ? array( PHP_BINARY, '-d', 'display_errors=stderr', $file ) : array( $file );
			}
		}
	}
	return null;
}

/**
 * Composer's surroundings. Its cache is for this run only: with one of before it takes an answer of yesterday for one of
 * now when nothing is reached, and says so in a warning alone. As root it would leave plugins out without being asked,
 * and extensions would land in the vendor folder.
 */
function intendant_composer_environment( string $scratch ): array {
	$environment = array(
		'COMPOSER_CACHE_DIR'           => "$scratch/composer",
		'COMPOSER_MEMORY_LIMIT'        => '-1',
		'COMPOSER_NO_INTERACTION'      => '1',
		'COMPOSER_ALLOW_SUPERUSER'     => '1',
		'COMPOSER_DISABLE_XDEBUG_WARN' => '1',
		'COMPOSER_PROCESS_TIMEOUT'     => '0',
		'COMPOSER_HTACCESS_PROTECT'    => '0',
		'COMPOSER_NO_AUDIT'            => '1',
		'NO_COLOR'                     => '1',
		'COLUMNS'                      => '400',
	);
	// Its own folder may hold access to paid repositories. Where there is none, none is left behind.
	$home = (string) getenv( 'HOME' );
	if ( false === getenv( 'COMPOSER_HOME' ) && ! is_dir( "$home/.composer" ) && ! is_dir( ( getenv( 'XDG_CONFIG_HOME' ) ?: "$home/.config" ) . '/composer' ) ) {
		$environment['COMPOSER_HOME'] = "$scratch/composer-home";
	}
	return $environment;
}

/** What shows that Composer went on with old answers, or none. */
function intendant_unreached( string $text ): ?string {
	if ( preg_match( '/^.*could not be fully loaded.*$/m', $text, $found ) ) {
		return intendant_tail( $found[0] );
	}
	return preg_match( '/^.*(?:curl error \d+|could not be downloaded|Could not resolve host|network disabled).*(?:\R.*\S.*){0,2}/mi', $text, $found ) ? intendant_tail( $found[0] ) : null;
}
