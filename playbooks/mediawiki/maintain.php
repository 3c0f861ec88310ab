<?php
/**
 * Runs a maintenance script of MediaWiki, from the folder that this release has them in:
 *
 *   php maintain.php ROOT PHP migrate        the database, after code has changed
 *   php maintain.php ROOT PHP flush          caches that MediaWiki does not see to by itself
 *
 * In its own process, with its exit code, so that what a broken extension does there ends there.
 */

list( , $root, $php, $want ) = $argv;
$root = rtrim( $root, '/' );
require __DIR__ . '/settings.php';
require __DIR__ . '/service.php';

$start = static function ( $script, array $options ) use ( $root, $php ) {
	putenv( "INTENDANT_ROOT=$root" );
	// The limits of the command line are the host's business; warnings go where they don't disturb.
	$command = array( $php, '-d', 'display_errors=stderr', '-d', 'memory_limit=1G' );
	$command = is_file( "$root/maintenance/run.php" )
		? array_merge( $command, array( "$root/maintenance/run.php", $script ), $options )
		: array_merge( $command, array( "$root/maintenance/$script.php" ), $options );
	$process = proc_open( array_merge( $command, array( '--conf', __DIR__ . '/local.php' ) ), array( array( 'file', '/dev/null', 'r' ), STDOUT, STDERR ), $pipes, $root );
	return $process ? proc_close( $process ) : 127;
};

if ( 'migrate' === $want ) {
	exit( $start( 'update', array( '--quick' ) ) );
}
// Interface texts are made anew by themselves, unless the site said that it does that by hand.
if ( is_array( $wgLocalisationCacheConf ) && ! empty( $wgLocalisationCacheConf['manualRecache'] ) ) {
	$code = $start( 'rebuildLocalisationCache', array( '--force' ) );
	if ( 0 !== $code ) {
		exit( $code );
	}
}
echo "flushed\n";
