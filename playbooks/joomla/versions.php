<?php
/**
 * Prints the versions that are on disk, and the database's, as one JSON document after a marker line.
 * Nothing of Joomla runs, so that it tells the truth about a site whose extensions are broken.
 *
 *   php versions.php ROOT
 */

require __DIR__ . '/common.php';

$root       = rtrim( $argv[1], '/' );
$db         = new IntendantDatabase( intendant_config( $root ) );
$extensions = intendant_extensions( $db, $root );
$versions   = [ 'core:core' => intendant_core_version( $root ) ];
foreach ( $extensions as $id => $row ) {
	$name = $row['kind'] . ':' . $row['slug'];
	if ( ! $row['is_core'] && ! isset( $versions[ $name ] ) ) {
		$versions[ $name ] = intendant_version( $root, $row );
	}
	if ( $row['is_core'] && isset( $row['manifest']['version'] ) && version_compare( $row['manifest']['version'], (string) $versions['core:core'], '<' ) ) {
		// The files came, and what Joomla does after that did not: half an update is none.
		$versions['core:core'] = $row['manifest']['version'];
	}
}
if ( null === $versions['core:core'] ) {
	intendant_fail( "$root/libraries/src/Version.php gives no version", 7 );
}

echo "\n@intendant-versions@" . json_encode(
	[
		'versions' => $versions,
		'database' => intendant_schema( $root, $db, $extensions ),
	],
	JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES
) . "\n";
