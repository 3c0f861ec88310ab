<?php
/**
 * Starts a restored copy with the copy's own database, and says what it sees:
 *
 *   php boot.php COPY DATABASE
 *
 * MediaWiki's own code runs, and nothing of extensions and skins: these could send mail, ask other servers, or write
 * into a cache that the live site shares. Caches are off, and nothing can be written to the database. The configuration
 * runs too, as it does for every visitor; one that starts extensions by itself is left alone.
 */

$root     = rtrim( $argv[1], '/' );
$database = $argv[2];
$skip     = static function ( $why ) {
	echo "\n@intendant-boot@" . json_encode( array( 'skip' => $why ) ) . "\n";
	exit( 0 );
};
if ( ! is_file( "$root/LocalSettings.php" ) ) {
	$skip( 'LocalSettings.php is not in the site\'s own folder, so it is in no snapshot' );
}
if ( preg_match( '#(?:require|include)(?:_once)?\b[^;]*(?:extensions|skins|vendor)/#', (string) file_get_contents( "$root/LocalSettings.php" ) ) ) {
	$skip( 'LocalSettings.php starts extensions by itself, and they could not be kept from running' );
}
if ( ! is_file( "$root/maintenance/Maintenance.php" ) ) {
	$skip( 'the copy has no maintenance/Maintenance.php' );
}
foreach ( array( 'MW_INSTALL_PATH' => $root, 'INTENDANT_ROOT' => $root, 'INTENDANT_DATABASE' => $database ) as $name => $value ) {
	putenv( "$name=$value" );
}
$process = proc_open(
	array( PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'memory_limit=1G', __DIR__ . '/booted.php', '--conf', __DIR__ . '/copy.php' ),
	array( array( 'file', '/dev/null', 'r' ), STDOUT, STDERR ),
	$pipes,
	$root
);
exit( $process ? proc_close( $process ) : 127 );
