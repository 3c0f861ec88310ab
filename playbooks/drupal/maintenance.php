<?php
/**
 * Switches Drupal's maintenance mode, a state that visitors see as status 503:
 *
 *   php maintenance.php ROOT URL on|off|forget
 *
 * Drupal itself is asked first, so that its caches know. Whatever it says, the database is looked at after that, and
 * written straight where Drupal does not run: off has to work on a dead site.
 *
 * `forget` makes the web server's processes forget what they keep of Drupal's caches in their memory (APCu): after a
 * restore that is of the update that was undone. Such copies count only beside a mark in the database, and without it none does.
 */

require __DIR__ . '/database.php';

list( , $root, $url, $wanted ) = $argv;
$on       = 'on' === $wanted;
$project  = intendant_project( $root );
$database = intendant_database( $project );
$said     = '';
if ( 'forget' === $wanted ) {
	try {
		$link = intendant_connect( $database, $project );
		foreach ( array( 'bootstrap', 'config', 'discovery' ) as $bin ) {
			try {
				$link->exec( 'DELETE FROM ' . intendant_table( $database, "cache_$bin" ) . " WHERE cid = 'last_write_timestamp_cache_$bin'" );
			} catch ( PDOException $error ) {
				// Its cache is elsewhere, or was not used yet.
			}
		}
	} catch ( PDOException $error ) {
		fwrite( STDERR, 'the database does not answer: ' . $error->getMessage() . "\n" );
		exit( 1 );
	}
	echo "forgotten\n";
	exit( 0 );
}
if ( is_file( $project['drush'] ) ) {
	$limit = array_filter( array( '/usr/bin/timeout', '/bin/timeout' ), 'is_executable' );
	list( $status, $out, $err ) = intendant_run( array_merge( $limit ? array( reset( $limit ), '90' ) : array(), intendant_drush( $project, $url ), array( 'maint:set', $on ? '1' : '0' ) ), $root );
	$said = 0 === $status ? '' : "drush maint:set ended with status $status: " . intendant_tail( $err . "\n" . $out );
}
try {
	$link  = intendant_connect( $database, $project );
	$table = intendant_table( $database, 'key_value' );
	$ask   = $link->prepare( "SELECT value FROM $table WHERE collection = 'state' AND name = 'system.maintenance_mode'" );
	$ask->execute();
	$value = $ask->fetchColumn();
	$value = is_resource( $value ) ? (string) stream_get_contents( $value ) : $value;
	$is    = false !== $value && (bool) @unserialize( (string) $value, array( 'allowed_classes' => false ) );
	if ( $is !== $on || '' !== $said ) {
		$link->prepare( "DELETE FROM $table WHERE collection = 'state' AND name = 'system.maintenance_mode'" )->execute();
		$link->prepare( "INSERT INTO $table (collection, name, value) VALUES ('state', 'system.maintenance_mode', ?)" )->execute( array( serialize( $on ) ) );
		// The state is cached there, and the mark beside it says how old a copy in PHP's memory may be: without it none is used.
		try {
			$link->exec( 'DELETE FROM ' . intendant_table( $database, 'cache_bootstrap' ) );
		} catch ( PDOException $error ) {
			// Its cache is elsewhere, or was not used yet.
		}
		echo "written into the database; $said\n";
	}
	if ( $on ) {
		// Pages that are kept for visitors would go on being served.
		try {
			$link->exec( 'DELETE FROM ' . intendant_table( $database, 'cache_page' ) );
		} catch ( PDOException $error ) {
			// There is no such cache.
		}
	}
} catch ( PDOException $error ) {
	fwrite( STDERR, 'the database does not answer: ' . $error->getMessage() . "; $said\n" );
	exit( 1 );
}
echo "$wanted\n";
