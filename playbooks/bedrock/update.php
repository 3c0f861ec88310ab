<?php
/**
 * Brings one component to a version through Composer:
 *
 *   php update.php ROOT SCRATCH KIND SLUG VERSION
 *
 * composer.json is never changed. WordPress is the set of its packages, which move together; while Composer replaces its folder,
 * the switch of the maintenance mode that lies there is lost, and put back right after.
 */

require __DIR__ . '/project.php';

list( , $root, $scratch, $kind, $slug, $version ) = $argv;
$project  = intendant_project( $root );
$packages = array_column( intendant_packages( $project ), null, 'name' );
$composer = intendant_composer( $project );
if ( null !== $project['why'] && null === $project['core'] || null === $composer ) {
	fwrite( STDERR, ( $project['why'] ?? 'there is no composer for this account' ) . "\n" );
	exit( 3 );
}
$named = array();
foreach ( $packages as $name => $package ) {
	if ( 'core' === $kind ? in_array( $name, INTENDANT_CORE, true ) : intendant_component( $package ) === array( $kind, $slug ) ) {
		$named[] = "$name:$version";
	}
}
if ( ! $named ) {
	fwrite( STDERR, "no package that Composer installed is $kind $slug\n" );
	exit( 4 );
}

$switch      = $project['wp'] . '/.maintenance';
$waiting     = is_file( $switch ) ? file_get_contents( $switch ) : false;
$dev         = false === ( $project['installed']['dev'] ?? true ) ? array( '--no-dev' ) : array();
$environment = intendant_composer_environment( $scratch );
list( , $out ) = intendant_run( array_merge( $composer, array( '--version', '--no-ansi' ) ), $root, $environment );
$release     = preg_match( '/Composer (?:version )?(\d+\.\d+\.\d+)/', $out, $found ) ? $found[1] : '0';
$along       = version_compare( $release, '2.7.0', '>=' ) ? array( '-W', '--minimal-changes' ) : ( 'core' === $kind ? array( '-W' ) : array() );
list( $status, $out, $err ) = intendant_run( array_merge( $composer, array( 'update' ), $named, $along, $dev, array( '--no-interaction', '--no-ansi', '--no-progress' ) ), $root, $environment );
clearstatcache();
if ( false !== $waiting && is_dir( $project['wp'] ) && ! is_file( $switch ) ) {
	file_put_contents( $switch, $waiting );
}
fwrite( STDERR, substr( $out . $err, -8000 ) );
if ( 0 === $status && preg_match( '/^.*Could not apply patch.*$/m', $out . $err, $found ) ) {
	fwrite( STDERR, "\na patch of composer.json does not fit the new version, and Composer went on without it: " . intendant_tail( $found[0] ) . "\n" );
	exit( 7 );
}
exit( $status > 255 || $status < 0 ? 255 : $status );
