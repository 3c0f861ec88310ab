<?php
/**
 * Enters the key of a licence, or looks whether it is entered. The key comes from standard input, and is never printed. Runs
 * inside WordPress (wp eval-file) with: enter or look; option or constant; its name; the kind (plugin or theme) and the
 * slug of what the licence is for.
 *
 * Looking prints one JSON document after a marker line: whether just this key is entered, whether the update is offered
 * now, and whether that offer has a package.
 */

list( $intendant_do, $intendant_way, $intendant_name, $intendant_kind, $intendant_slug ) = array_pad( $args, 5, '' );

$intendant_key = trim( (string) stream_get_contents( fopen( 'php://stdin', 'r' ), 65536 ) );
if ( '' === $intendant_key ) {
	fwrite( fopen( 'php://stderr', 'w' ), "no key came from standard input\n" );
	exit( 1 );
}

$intendant_fail = static function ( $why ) {
	fwrite( fopen( 'php://stderr', 'w' ), $why . "\n" );
	exit( 1 );
};

/** The file in which constants stand. */
$intendant_config = static function () {
	$here = ABSPATH . 'wp-config.php';
	// WordPress itself looks one folder up, unless that is another site.
	if ( ! file_exists( $here ) && file_exists( dirname( ABSPATH ) . '/wp-config.php' ) ) {
		return dirname( ABSPATH ) . '/wp-config.php';
	}
	return $here;
};

/** Whether a file has a list of who may do what with it, besides its mode; `ls` marks that with a plus, where it knows of it. */
$intendant_listed = static function ( $file ) {
	$ls = function_exists( 'proc_open' ) ? @proc_open( array( 'ls', '-ld', $file ), array( 1 => array( 'pipe', 'w' ) ), $pipes ) : false;
	if ( ! is_resource( $ls ) ) {
		return false;
	}
	$line = (string) stream_get_contents( $pipes[1], 4096 );
	fclose( $pipes[1] );
	proc_close( $ls );
	return '+' === substr( $line, 10, 1 );
};

/** Writes the constant into the configuration: in the place of what stands there, else before the rest is loaded. */
$intendant_define = static function ( $name, $key ) use ( $intendant_config, $intendant_fail, $intendant_listed ) {
	$file = $intendant_config();
	$text = is_link( $file ) ? false : file_get_contents( $file );
	if ( false === $text ) {
		$intendant_fail( 'wp-config.php can\'t be read, or is a link: enter the constant by hand' );
	}
	$line  = 'define( ' . var_export( $name, true ) . ', ' . var_export( $key, true ) . ' );';
	$plain = '/^[ \t]*define\(\s*([\'"])' . preg_quote( $name, '/' ) . '\1\s*,\s*(?:\'(?:[^\'\\\\]|\\\\.)*\'|"[^"$\\\\]*")\s*\)\s*;/m';
	$fresh = preg_replace_callback(
		$plain,
		static function () use ( $line ) {
			return $line;
		},
		$text,
		1,
		$count
	);
	if ( 1 !== $count ) {
		if ( defined( $name ) || false !== strpos( $text, $name ) ) {
			$intendant_fail( "$name is defined already, in a way that only a person can change" );
		}
		$fresh = preg_replace_callback(
			'/^.*\bwp-settings\.php\b.*$/m',
			static function ( $found ) use ( $line ) {
				return $line . "\n" . $found[0];
			},
			$text,
			1,
			$count
		);
	}
	if ( 1 !== $count || ! is_string( $fresh ) ) {
		$intendant_fail( 'wp-config.php has no place for a constant: enter it by hand' );
	}
	if ( function_exists( 'posix_geteuid' ) && posix_geteuid() !== fileowner( $file ) ) {
		$intendant_fail( 'wp-config.php belongs to another account: enter the constant by hand' );
	}
	if ( $intendant_listed( $file ) ) {
		$intendant_fail( 'wp-config.php has an access list, which would be lost: enter the constant by hand' );
	}
	// A server runs it, if it ever lies there: it never shows what is in it.
	$draft = dirname( $file ) . '/wp-config-' . bin2hex( random_bytes( 8 ) ) . '.php';
	$old   = umask( 077 );
	$good  = strlen( $fresh ) === file_put_contents( $draft, $fresh );
	umask( $old );
	// Whoever reads it now has to be able to read it then: a web server often does so by the group alone.
	if ( $good && filegroup( $draft ) !== filegroup( $file ) ) {
		@chgrp( $draft, filegroup( $file ) );
	}
	$good = $good && chmod( $draft, fileperms( $file ) & 07777 );
	clearstatcache();
	foreach ( array( 'fileowner', 'filegroup', 'fileperms' ) as $has ) {
		if ( $good && $has( $draft ) !== $has( $file ) ) {
			@unlink( $draft );
			$intendant_fail( 'wp-config.php can\'t be replaced by one with the same owner, group and mode: enter the constant by hand' );
		}
	}
	if ( ! $good || $intendant_listed( $draft ) || ! rename( $draft, $file ) ) {
		@unlink( $draft );
		$intendant_fail( 'wp-config.php can\'t be written: enter the constant by hand' );
	}
	if ( function_exists( 'opcache_invalidate' ) ) {
		@opcache_invalidate( $file, true );
	}
};

/** The constant as the configuration has it, whatever this process has read before. */
$intendant_defined = static function ( $name ) {
	return defined( $name ) && is_scalar( constant( $name ) ) ? (string) constant( $name ) : null;
};

/**
 * Whether there is a package of the update that the licence is for, asked anew; none where no update is offered: its vendor
 * may not have answered, which says nothing of the key.
 */
$intendant_package = static function ( $kind, $slug ) {
	require_once ABSPATH . 'wp-admin/includes/admin.php';
	if ( 'theme' === $kind ) {
		wp_clean_themes_cache( true );
		wp_update_themes();
		$offers = get_site_transient( 'update_themes' );
		return isset( $offers->response[ $slug ] ) ? ! empty( $offers->response[ $slug ]['package'] ) : null;
	}
	wp_clean_plugins_cache( true );
	wp_update_plugins();
	$offers = get_site_transient( 'update_plugins' );
	foreach ( isset( $offers->response ) ? (array) $offers->response : array() as $file => $offer ) {
		if ( $slug === ( '.' === dirname( $file ) ? basename( $file, '.php' ) : dirname( $file ) ) ) {
			return ! empty( $offer->package );
		}
	}
	return null;
};

/** What WordPress itself stands on is no place for a key, whatever a pool says. */
$intendant_refuse = static function ( $way, $name ) use ( $intendant_fail ) {
	$constants = '/^(DB_|ABSPATH$|(AUTH|SECURE_AUTH|LOGGED_IN|NONCE)_(KEY|SALT)$|WP_(HOME|SITEURL|DEBUG|CONTENT|PLUGIN|CACHE|LANG|MEMORY|MAX|ALLOW|AUTO|TEMP))/';
	$options   = '/^(siteurl|home|template|stylesheet|admin_email|blogname|cron|db_version|initial_db_version|active_plugins|[a-z0-9_]*user_roles|rewrite_rules|default_role|users_can_register|permalink_structure|upload_path)$/';
	if ( preg_match( 'constant' === $way ? $constants : $options, $name ) ) {
		$intendant_fail( "$name belongs to WordPress itself: no key is written there" );
	}
	if ( 'constant' !== $way && ! is_scalar( get_option( $name, '' ) ) ) {
		$intendant_fail( "$name holds more than a key: only a person can enter it there" );
	}
};

if ( 'enter' === $intendant_do ) {
	$intendant_refuse( $intendant_way, $intendant_name );
	if ( 'constant' === $intendant_way ) {
		$intendant_define( $intendant_name, $intendant_key );
	} else {
		update_option( $intendant_name, $intendant_key );
	}
	exit( 0 );
}

$intendant_has     = 'constant' === $intendant_way ? $intendant_defined( $intendant_name ) : get_option( $intendant_name, null );
$intendant_entered = is_scalar( $intendant_has ) && hash_equals( $intendant_key, trim( (string) $intendant_has ) );
// Where the key is not entered, nothing is asked: its vendor would count the site.
$intendant_found = $intendant_entered ? $intendant_package( $intendant_kind, $intendant_slug ) : null;
echo "\n@intendant-licence@" . wp_json_encode(
	array(
		'entered' => $intendant_entered,
		'offered' => $intendant_entered ? null !== $intendant_found : null,
		'package' => $intendant_found,
	)
) . "\n";
