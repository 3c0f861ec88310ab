<?php
/**
 * Prints the versions that are on disk, as one JSON document after a marker line:
 *
 *   php versions.php ROOT
 *
 * Reads files only, so that it tells the truth about a wiki that does not run.
 */

$root = rtrim( $argv[1], '/' );
require __DIR__ . '/settings.php';

$versions = array();
$core     = intendant_core_version( $root );
if ( '' !== $core ) {
	$versions['core:core'] = $core;
}
foreach ( array( 'extension', 'skin' ) as $kind ) {
	foreach ( intendant_folders( $root, $kind ) as $name => $folder ) {
		list( $version ) = intendant_component( $folder, $kind );
		if ( '' !== $version ) {
			$versions[ "$kind:$name" ] = $version;
		}
	}
}
echo "\n@intendant-versions@" . json_encode( array( 'versions' => (object) $versions ), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
