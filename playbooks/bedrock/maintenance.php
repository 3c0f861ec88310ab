<?php
/**
 * Switches WordPress's maintenance mode on, until the file is removed:
 *
 *   php maintenance.php ROOT HASH
 *
 * A request whose header X-Intendant-Visit has this SHA-256 sees the site itself, and so does
 * the command line. WordPress takes a switch for stale after ten minutes; this one says the
 * present time whenever it is asked.
 */

list( , $root, $hash ) = $argv;
if ( ! preg_match( '/^[0-9a-f]{64}$/', $hash ) ) {
	fwrite( STDERR, "the hash has 64 hexadecimal digits\n" );
	exit( 2 );
}
$text = <<<PHP
<?php
// Maintenance is under way. Switched on by Intendant, which removes this file at the end.
\$upgrading = time();
if ( 'cli' === PHP_SAPI || ( isset( \$_SERVER['HTTP_X_INTENDANT_VISIT'] ) && hash_equals( '$hash', hash( 'sha256', (string) \$_SERVER['HTTP_X_INTENDANT_VISIT'] ) ) ) ) {
	\$upgrading = 0;
}

PHP;
$file  = rtrim( $root, '/' ) . '/.maintenance';
$draft = $file . '-' . getmypid();
if ( strlen( $text ) !== @file_put_contents( $draft, $text ) || ! rename( $draft, $file ) ) {
	@unlink( $draft );
	fwrite( STDERR, "can't write $file\n" );
	exit( 1 );
}
echo "on\n";
