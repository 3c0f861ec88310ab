<?php
/**
 * Updates the database to the code:
 *
 *   php migrate.php ROOT URL
 *
 * Drupal's own requirements come first: `drush updatedb -y` prints what is wrong, and goes on. Whether anything is left to
 * do is asked again at the end.
 */

require __DIR__ . '/database.php';

list( , $root, $url ) = $argv;
$project = intendant_project( $root );
$drush   = static function ( array $words ) use ( $project, $url, $root ) {
	return intendant_run( array_merge( intendant_drush( $project, $url ), $words ), $root );
};
$stop    = static function ( string $why ) {
	fwrite( STDERR, "$why\n" );
	exit( 1 );
};

// A container that was compiled for the old code may be fatal with the new one. `drush updatedb` makes its own, the question does not.
$database = intendant_database( $project );
try {
	intendant_connect( $database, $project )->exec( 'DELETE FROM ' . intendant_table( $database, 'cache_container' ) );
} catch ( PDOException $error ) {
	// It is elsewhere, or was not used yet; whether the database answers shows below.
	fwrite( STDERR, 'the container was not emptied: ' . $error->getMessage() . "\n" );
}
list( $status, $errors, $said ) = intendant_requirements( $project, $url );
if ( 0 !== $status || null === $errors ) {
	$stop( "Drupal could not be asked what its updates need (status $status): $said" );
}
if ( $errors ) {
	$stop( 'Drupal itself says that its database must not be updated so: ' . implode( '; ', array_column( $errors, 'says' ) ) );
}
list( $status, $out, $err ) = $drush( array( 'updatedb', '-y' ) );
fwrite( STDERR, substr( $out . $err, -8000 ) );
if ( 0 !== $status ) {
	$stop( "drush updatedb ended with status $status" );
}
list( $status, $out, $err ) = $drush( array( 'updatedb:status', '--format=json' ) );
$left                       = intendant_json( $out );
if ( 0 !== $status || null === $left && '' !== trim( $out ) ) {
	$stop( "Drupal could not be asked what is left to do (status $status): " . intendant_tail( $err . "\n" . $out ) );
}
if ( $left ) {
	$stop( 'drush updatedb says it is done, and these are still pending: ' . implode( ', ', array_slice( array_keys( $left ), 0, 10 ) ) );
}
echo "no update of the database is pending\n";
