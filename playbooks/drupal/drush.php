<?php
/**
 * Runs the project's own Drush:
 *
 *   php drush.php ROOT URL COMMAND…
 *
 * Where there is none it prints {"unsupported": …} and ends with status 3, so that whoever asks can tell.
 */

require __DIR__ . '/site.php';

$words             = array_slice( $argv, 3 );
list( , $root, $url ) = $argv;
$project           = intendant_project( $root );
if ( ! is_file( $project['drush'] ) ) {
	echo json_encode( array( 'unsupported' => $project['why'] ?? 'there is no Drush' ), JSON_UNESCAPED_SLASHES ) . "\n";
	exit( 3 );
}
$process = proc_open( array_merge( intendant_drush( $project, $url ), $words ), array( STDIN, STDOUT, STDERR ), $pipes, $root );
exit( is_resource( $process ) ? proc_close( $process ) : 127 );
