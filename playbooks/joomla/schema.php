<?php
/**
 * Whether the tables are as the files want them. Joomla's own command says that with exit code 0 whatever it
 * finds, so what it prints is read.
 *
 *   php schema.php ROOT        only looks
 *   php schema.php ROOT fix    has Joomla mend them first
 *
 * Prints `the tables are up to date` and exits with 0, or prints the problems and exits with 1.
 */

require __DIR__ . '/common.php';

$root = rtrim( $argv[1], '/' );
$fix  = isset( $argv[2] ) && 'fix' === $argv[2];

if ( ! is_file( "$root/libraries/src/Console/MaintenanceDatabaseCommand.php" ) ) {
	// Before that command: the newest change that the files bring has to be the one that the database has.
	$db     = new IntendantDatabase( intendant_config( $root ) );
	$schema = intendant_schema( $root, $db, intendant_extensions( $db, $root ) );
	if ( null === $schema || $schema['code'] === $schema['data'] ) {
		echo "the tables are up to date\n";
		exit( 0 );
	}
	echo "the tables are of {$schema['data']}, and the files want {$schema['code']}: Extensions, Maintain, Database in the administration mends that\n";
	exit( 1 );
}

/** What is said of the problems, or nothing. */
$problems = static function ( $exit, $output ) {
	if ( 0 !== $exit ) {
		return "the command ended with $exit";
	}
	if ( false === strpos( $output, 'All database table structures are up to date.' ) || false !== strpos( $output, 'There are tables not up to date!' ) ) {
		preg_match_all( '/^.*(?:does not match|does not have|Table \'|\[ERROR\]).*$/m', $output, $lines );
		return $lines[0] ? implode( '; ', array_map( 'intendant_line', array_slice( $lines[0], 0, 10 ) ) ) : 'the command did not say that all is up to date';
	}
	return null;
};

list( $exit, $output, $errors ) = intendant_joomla( $root, [ 'maintenance:database' ] );
$found                          = $problems( $exit, $output );
if ( null !== $found && $fix ) {
	list( , $output, $errors ) = intendant_joomla( $root, [ 'maintenance:database', '--fix' ] );
	fwrite( STDERR, $errors );
	// What it prints then is the table of before: it is asked once more.
	list( $exit, $output, $errors ) = intendant_joomla( $root, [ 'maintenance:database' ] );
	$found                          = $problems( $exit, $output );
}
fwrite( STDERR, $errors );
if ( null === $found ) {
	echo "the tables are up to date\n";
	exit( 0 );
}
echo "the tables are NOT up to date: $found\n";
exit( 1 );
