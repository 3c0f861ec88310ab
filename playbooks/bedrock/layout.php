<?php
/**
 * Where a site has its folders, and whether they can be worked on: all that an update changes has to lie below the
 * site's own folder, where snapshots look, and no other program may own it. Read inside WordPress; only looks.
 */

/** A path as people see it: relative to the site's folder, or absolute where it lies elsewhere. */
function intendant_relative( $path ) {
	$root = rtrim( ABSPATH, '/' );
	$path = rtrim( (string) $path, '/' );
	if ( $path === $root ) {
		return '.';
	}
	return 0 === strpos( $path, "$root/" ) ? ltrim( substr( $path, strlen( $root ) ), '/' ) : $path;
}

/** Whether a path lies below the site's folder, links resolved. */
function intendant_is_inside( $path ) {
	$root  = realpath( ABSPATH );
	$place = realpath( $path );
	return false === $root || false === $place || $place === $root || 0 === strpos( $place, rtrim( $root, '/' ) . '/' );
}

/** Why an extension can only be updated by hand: it is a link to files that no snapshot of this site has. */
function intendant_linked( $path ) {
	return intendant_is_inside( $path ) ? null : intendant_relative( $path ) . ' leads out of the site\'s folder, to ' . realpath( $path ) . ', which no snapshot would have';
}

/** The folder of the composer.json that brings WordPress itself, or null. */
function intendant_composer_root() {
	$folder = rtrim( ABSPATH, '/' );
	for ( $level = 0; $level < 3 && '' !== $folder && '/' !== $folder; $level++, $folder = dirname( $folder ) ) {
		$file = "$folder/composer.json";
		if ( ! @is_readable( $file ) || filesize( $file ) > 1048576 ) {
			continue;
		}
		$read  = json_decode( (string) file_get_contents( $file ), true );
		$needs = isset( $read['require'] ) && is_array( $read['require'] ) ? array_keys( $read['require'] ) : array();
		if ( preg_grep( '{^(?:roots|johnpbloch)/wordpress(?:-|$)}', $needs ) || isset( $read['extra']['wordpress-install-dir'] ) ) {
			return $folder;
		}
	}
	return null;
}

/** `places`: the folders that a site may have elsewhere, below its own; `why`: why it is not updated, or null. */
function intendant_layout() {
	$uploads  = wp_get_upload_dir();
	$folders  = array(
		'content'    => WP_CONTENT_DIR,
		'plugins'    => WP_PLUGIN_DIR,
		'mu-plugins' => WPMU_PLUGIN_DIR,
		'themes'     => get_theme_root(),
		'uploads'    => isset( $uploads['basedir'] ) ? $uploads['basedir'] : WP_CONTENT_DIR . '/uploads',
	);
	$places   = array();
	foreach ( $folders as $name => $folder ) {
		$place = intendant_relative( $folder );
		if ( '.' !== $place && '/' !== $place[0] && ! preg_match( '{(?:^|/)\.{0,2}(?:/|$)}', $place ) ) {
			$places[ $name ] = $place;
		}
	}
	$why      = null;
	$composer = intendant_composer_root();
	if ( null !== $composer ) {
		$why = is_file( "$composer/config/application.php" )
			? "Composer owns these files ($composer/composer.json); let the plan say cms: bedrock and the path $composer"
			: "Composer owns these files ($composer/composer.json), and what is changed past it is undone by its next update";
	}
	$written = array( 'WP_CONTENT_DIR' => WP_CONTENT_DIR, 'WP_PLUGIN_DIR' => WP_PLUGIN_DIR, 'the folder of themes' => $folders['themes'], 'WP_LANG_DIR' => WP_LANG_DIR );
	foreach ( $written as $name => $folder ) {
		if ( null === $why && ! intendant_is_inside( $folder ) ) {
			$why = "$name is " . realpath( $folder ) . ', outside of the site\'s folder ' . rtrim( ABSPATH, '/' ) . ', so no snapshot would have what an update changes there; move it below that folder, or update this site by hand';
		}
	}
	return array( 'places' => $places, 'why' => $why );
}
