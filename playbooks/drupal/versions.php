<?php
/**
 * Prints the versions that are on disk, as one JSON document after a marker line:
 *
 *   php versions.php ROOT
 *
 * Only files are read, so it tells the truth about a site that does not run. An extension's own .info.yml
 * counts where it says something else than Composer.
 */

require __DIR__ . '/site.php';

$project  = intendant_project( $argv[1] );
$versions = array();
if ( null !== $project['core'] ) {
	$versions['core:core'] = $project['core'];
}
$normal = static fn( $version ) => preg_replace( '/^v?(\d+(?:\.\d+)*)/', '$1', strtolower( (string) $version ) );
foreach ( intendant_packages( $project ) as $package ) {
	$component = intendant_component( $package );
	if ( ! $component ) {
		continue;
	}
	list( $kind, $slug ) = $component;
	// What Composer says is there, and is not.
	if ( null !== $package['folder'] && ! is_dir( $package['folder'] ) ) {
		continue;
	}
	$version = $package['version'];
	if ( 'library' !== $kind && null !== $package['folder'] ) {
		if ( ! is_file( "{$package['folder']}/$slug.info.yml" ) && ! glob( "{$package['folder']}/*.info.yml" ) ) {
			continue;
		}
		$info    = intendant_info_version( "{$package['folder']}/$slug.info.yml" );
		$version = null === $info || $normal( $info ) === $normal( $version ) || preg_match( '/dev/', $version ) ? $version : $info;
	}
	$versions["$kind:$slug"] = $version;
}
// The site's own, by their files alone.
foreach ( array( 'modules' => 'module', 'themes' => 'theme', 'profiles' => 'profile' ) as $folder => $kind ) {
	// Not every C library has GLOB_BRACE.
	foreach ( array_merge( glob( "{$project['webroot']}/$folder/*/*.info.yml" ) ?: array(), glob( "{$project['webroot']}/$folder/custom/*/*.info.yml" ) ?: array() ) as $file ) {
		$slug = basename( $file, '.info.yml' );
		if ( basename( dirname( $file ) ) === $slug && ! isset( $versions["$kind:$slug"] ) ) {
			$versions["$kind:$slug"] = intendant_info_version( $file );
		}
	}
}
echo "\n@intendant-versions@" . json_encode( array( 'versions' => (object) array_filter( $versions ) ), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
