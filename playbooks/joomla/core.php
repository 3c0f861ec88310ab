<?php
/**
 * Updates the core by Joomla's own command, which takes no version: so the version that it would take now is asked
 * for first, and has to be the one that was planned.
 *
 *   php core.php ROOT VERSION
 */

require __DIR__ . '/common.php';

list( , $root, $wanted ) = $argv;
$root                    = rtrim( $root, '/' );
if ( ! is_file( "$root/cli/joomla.php" ) ) {
	intendant_fail( 'Joomla 3.10 has no command that updates its core; update it in the administration', 3 );
}
list( $exit, $output, $errors ) = intendant_joomla( $root, [ 'core:check-updates' ] );
fwrite( STDERR, $errors );
echo $output;
if ( 0 !== $exit || 1 !== preg_match( '/New Joomla Version\s+(\S+)\s+is available/', $output, $found ) ) {
	intendant_fail( "Joomla offers no version of itself now; $wanted was planned", 3 );
}
if ( $found[1] !== $wanted ) {
	intendant_fail( "Joomla offers $found[1] of itself now; $wanted was planned", 3 );
}
list( $exit, $output, $errors ) = intendant_joomla( $root, [ 'core:update', '-n' ] );
fwrite( STDERR, $errors );
echo $output;
exit( $exit );
