<?php
/**
 * What the other scripts share: where things lie in a project that Composer built, and how its
 * programs are run. Only files are read here; no code of the site runs.
 */

const INTENDANT_MOST = 5000;
const INTENDANT_LARGEST = 32 * 1024 * 1024;
/** Where the web root may be, if composer.json does not say so. */
const INTENDANT_WEB_ROOTS = array( 'web', 'docroot', 'html', 'public', 'public_html', 'www', 'htdocs', 'httpdocs', '' );
/** The packages that are the core: they move together. */
const INTENDANT_CORE = array(
	'drupal/core',
	'drupal/core-recommended',
	'drupal/core-composer-scaffold',
	'drupal/core-project-message',
	'drupal/core-vendor-hardening',
	'drupal/core-recipe-unpack',
	'drupal/core-dev',
	'drupal/core-dev-pinned',
);
const INTENDANT_KINDS = array(
	'drupal-module'         => 'module',
	'drupal-custom-module'  => 'module',
	'drupal-theme'          => 'theme',
	'drupal-custom-theme'   => 'theme',
	'drupal-profile'        => 'profile',
	'drupal-custom-profile' => 'profile',
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
 * The project: `composer` and `lock` (their contents), `web` and `vendor` (folders below the root), `installed` (what
 * Composer says of the vendor folder), `core` (the version on disk), `site` (the folder of settings.php, below the root),
 * `why` (why nothing can be updated here).
 */
function intendant_project( string $root ): array {
	$root    = rtrim( $root, '/' );
	$project = array(
		'root'      => $root,
		'composer'  => intendant_json_file( "$root/composer.json" ),
		'lock'      => intendant_json_file( "$root/composer.lock" ),
		'why'       => null,
	);
	$told  = $project['composer']['extra']['drupal-scaffold']['locations']['web-root'] ?? null;
	$places = INTENDANT_WEB_ROOTS;
	if ( is_string( $told ) && null !== intendant_below( $told ) ) {
		array_unshift( $places, intendant_below( $told ) );
	}
	$project['web'] = null;
	foreach ( $places as $place ) {
		if ( is_file( "$root/" . ( '' === $place ? '' : "$place/" ) . 'core/lib/Drupal.php' ) ) {
			$project['web'] = $place;
			break;
		}
	}
	// A half-copied core has no Drupal.php, and its settings are to be found all the same.
	if ( null === $project['web'] ) {
		foreach ( $places as $place ) {
			if ( is_dir( "$root/" . ( '' === $place ? '' : "$place/" ) . 'sites' ) ) {
				$project['web'] = $place;
				break;
			}
		}
	}
	$web                 = $project['web'] ?? '';
	$project['webroot']  = '' === $web ? $root : "$root/$web";
	$vendor              = $project['composer']['config']['vendor-dir'] ?? 'vendor';
	$project['vendor']   = "$root/" . ( is_string( $vendor ) ? intendant_below( $vendor ) ?? 'vendor' : 'vendor' );
	$project['installed'] = intendant_json_file( $project['vendor'] . '/composer/installed.json' );
	$project['drush']    = $project['vendor'] . '/drush/drush/drush.php';

	$source          = (string) @file_get_contents( $project['webroot'] . '/core/lib/Drupal.php', false, null, 0, 65536 );
	$project['core'] = preg_match( "/^\\s*(?:public\\s+)?const\\s+VERSION\\s*=\\s*'([^']+)'/m", $source, $found ) ? $found[1] : null;

	$project['site'] = intendant_site_folder( $project['webroot'] );

	if ( null === $project['composer'] ) {
		$above = intendant_json_file( dirname( $root ) . '/composer.json' );
		$project['why'] = null !== $above && isset( $above['require'] )
			? 'this is the web root; let the plan name the project\'s folder, where composer.json is'
			: 'the site was not built with Composer: there is no readable composer.json; build it anew with Composer, then plan its updates';
	} elseif ( null === $project['lock'] ) {
		$project['why'] = 'there is no readable composer.lock, so nobody knows what Composer built: run composer install, then try again';
	} elseif ( ! array_filter( intendant_packages( $project ), static fn( $package ) => in_array( $package['name'], INTENDANT_CORE, true ) ) ) {
		$project['why'] = 'Composer did not install this core: it is in no vendor/composer/installed.json; build the site with Composer (drupal/core-recommended)';
	} elseif ( ! is_file( $project['drush'] ) ) {
		$project['why'] = 'there is no Drush in the vendor folder: composer require drush/drush, then try again';
	} else {
		$project['why'] = intendant_unequal( $project );
	}
	return $project;
}

/** The folder of settings.php: sites/default, or the one that there is. */
function intendant_site_folder( string $webroot ): ?string {
	if ( is_file( "$webroot/sites/default/settings.php" ) ) {
		return "$webroot/sites/default";
	}
	$found = glob( "$webroot/sites/*/settings.php" ) ?: array();
	return 1 === count( $found ) ? dirname( $found[0] ) : null;
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

/** What keeps Composer from taking the core along with something else: that is a step of its own, and may be a major one. */
function intendant_core_stays( array $packages ): array {
	return isset( $packages['drupal/core'] ) ? array( '--with', "drupal/core:{$packages['drupal/core']['version']}" ) : array();
}

/** The kind and name of a package, or null for the core's own. */
function intendant_component( array $package ): ?array {
	if ( in_array( $package['name'], INTENDANT_CORE, true ) ) {
		return null;
	}
	$kind = INTENDANT_KINDS[ $package['type'] ] ?? null;
	return $kind ? array( $kind, substr( strrchr( '/' . $package['name'], '/' ), 1 ) ) : array( 'library', $package['name'] );
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

/** Asks Drupal itself what keeps its database from being updated: status, the errors or null, what was said. */
function intendant_requirements( array $project, string $url ): array {
	list( $status, $out, $err ) = intendant_run(
		// By its whole path: of a short name Drush would first run a file in the current folder.
		array_merge( intendant_drush( $project, $url ), array( 'php:script', __DIR__ . '/requirements.php' ) ),
		$project['root']
	);
	$errors = intendant_json( $out )['errors'] ?? null;
	return array( $status, is_array( $errors ) ? $errors : null, intendant_tail( $err . "\n" . $out ) );
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

/** How Drush begins. */
function intendant_drush( array $project, string $url ): array {
	return array( PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'memory_limit=1G', $project['drush'], "--uri=$url" );
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
 * and modules would land in the vendor folder.
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

/** The version of an extension as its .info.yml has it, in Composer's form: 8.x-1.14 is 1.14.0. */
function intendant_info_version( string $file ): ?string {
	$text = (string) @file_get_contents( $file, false, null, 0, 65536 );
	if ( ! preg_match( '/^version:[ \t]*[\'"]?([^\'"\s#]+)/m', $text, $found ) ) {
		return null;
	}
	return preg_replace( '/^\d+\.x-(\d+)\.(\d+)(-.+)?$/', '$1.$2.0$3', $found[1] );
}
