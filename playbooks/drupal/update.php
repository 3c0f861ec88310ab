<?php
/**
 * Brings one component to a version through Composer:
 *
 *   php update.php ROOT URL SCRATCH KIND SLUG VERSION
 *
 * composer.json is never changed. The core is the set of its packages, which move together. After an extension its updates of
 * the database follow at once, and with them new caches: a container that was compiled for the old code may not start
 * with the new one. After the core that is a step of its own.
 */

require __DIR__ . '/site.php';

list( , $root, $url, $scratch, $kind, $slug, $version ) = $argv;
$project  = intendant_project( $root );
$packages = array_column( intendant_packages( $project ), null, 'name' );
$composer = intendant_composer( $project );
if ( null !== $project['why'] && null === $project['core'] || null === $composer ) {
	fwrite( STDERR, ( $project['why'] ?? 'there is no composer for this account' ) . "\n" );
	exit( 3 );
}
$named = array();
if ( 'core' === $kind ) {
	foreach ( array_intersect( INTENDANT_CORE, array_keys( $packages ) ) as $name ) {
		// The set is one version, but its helpers may lag.
		$named[] = in_array( $name, array( 'drupal/core', 'drupal/core-recommended' ), true ) ? "$name:$version" : $name;
	}
}
foreach ( 'core' === $kind ? array() : $packages as $name => $package ) {
	if ( intendant_component( $package ) === array( $kind, $slug ) ) {
		$named[] = "$name:$version";
	}
}
if ( ! $named ) {
	fwrite( STDERR, "no package that Composer installed is $kind $slug\n" );
	exit( 4 );
}

// The scaffold of the core writes into sites/default, which Drupal makes read-only.
$modes = array();
foreach ( 'core' === $kind ? array_merge( array( $project['webroot'] . '/sites/default' ), glob( $project['webroot'] . '/sites/default/default.*' ) ?: array() ) : array() as $path ) {
	if ( ! is_link( $path ) && ! is_writable( $path ) && @chmod( $path, fileperms( $path ) & 07777 | 0200 ) ) {
		$modes[ $path ] = fileperms( $path ) & 07777 & ~0200;
	}
}
$dev         = false === ( $project['installed']['dev'] ?? true ) ? array( '--no-dev' ) : array();
$environment = intendant_composer_environment( $scratch );
list( , $out ) = intendant_run( array_merge( $composer, array( '--version', '--no-ansi' ) ), $root, $environment );
$release     = preg_match( '/Composer (?:version )?(\d+\.\d+\.\d+)/', $out, $found ) ? $found[1] : '0';
$along       = version_compare( $release, '2.7.0', '>=' ) ? array( '-W', '--minimal-changes' ) : ( 'core' === $kind ? array( '-W' ) : array() );
$along       = 'core' === $kind ? $along : array_merge( $along, intendant_core_stays( $packages ) );
$answer      = intendant_run( array_merge( $composer, array( 'update' ), $named, $along, $dev, array( '--no-interaction', '--no-ansi', '--no-progress' ) ), $root, $environment );
clearstatcache();
foreach ( $modes as $path => $mode ) {
	if ( file_exists( $path ) ) {
		@chmod( $path, $mode );
	}
}
list( $status, $out, $err ) = $answer;
fwrite( STDERR, substr( $out . $err, -8000 ) );
if ( 0 === $status && preg_match( '/^.*Could not apply patch.*$/m', $out . $err, $found ) ) {
	fwrite( STDERR, "\na patch of composer.json does not fit the new version, and Composer went on without it: " . intendant_tail( $found[0] ) . "\n" );
	exit( 7 );
}
if ( 0 !== $status || 'core' === $kind ) {
	exit( $status > 255 || $status < 0 ? 255 : $status );
}
list( $status, $out, $err ) = intendant_run( array( PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/migrate.php', $root, $url ), $root );
fwrite( STDERR, substr( "\n" . $out . $err, -4000 ) );
exit( $status > 255 || $status < 0 ? 255 : $status );
