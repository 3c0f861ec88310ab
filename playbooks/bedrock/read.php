<?php
/**
 * Prints the versions that are on disk, and the database's, as one JSON document after a marker
 * line. Runs inside WordPress without plugins and themes: wp eval-file read.php ROOT.
 *
 * WordPress's own files count; where they say the same as Composer in other words (1.4 for 1.4.0), Composer's words do.
 */

require_once __DIR__ . '/project.php';

ob_start();
require __DIR__ . '/versions.php';
$intendant_said     = (string) ob_get_clean();
$intendant_document = json_decode( substr( $intendant_said, (int) strpos( $intendant_said, "\n@intendant-versions@" ) + 21 ), true );
foreach ( intendant_packages( intendant_project( $args[0] ) ) as $intendant_package ) {
	$intendant_component = intendant_component( $intendant_package );
	// What Composer says is there, and is not.
	if ( ! $intendant_component || null !== $intendant_package['folder'] && ! is_dir( $intendant_package['folder'] ) ) {
		continue;
	}
	$intendant_id    = implode( ':', $intendant_component );
	$intendant_files = isset( $intendant_document['versions'][ $intendant_id ] ) ? $intendant_document['versions'][ $intendant_id ] : null;
	if ( null !== $intendant_files || in_array( $intendant_component[0], array( 'library', 'mu-plugin' ), true ) ) {
		$intendant_document['versions'][ $intendant_id ] = intendant_version( $intendant_files, $intendant_package['version'] );
	}
}
echo "\n@intendant-versions@" . json_encode( $intendant_document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
