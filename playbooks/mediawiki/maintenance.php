<?php
/**
 * MediaWiki's own read-only mode, by its file: visitors read on, nobody writes.
 *
 *   php maintenance.php ROOT on
 *   php maintenance.php ROOT off
 *
 * Neither runs MediaWiki. The file is where $wgReadOnlyFile says; a configuration that can't be read to its end, or
 * that ends this program, leaves the place where MediaWiki has it by itself. Where somebody else has made the wiki read-only, that
 * file stays as it is.
 */

$root = rtrim( $argv[1], '/' );
$want = $argv[2];

/** How the text begins that is written into it. */
const INTENDANT_SWITCH = 'This wiki is being updated';

/** Whether somebody else wrote the file. MediaWiki takes no notice of an empty one. */
function intendant_foreign( $file ) {
	$begin = is_file( $file ) ? (string) file_get_contents( $file, false, null, 0, 200 ) : '';
	return '' !== $begin && 0 !== strpos( $begin, INTENDANT_SWITCH );
}

if ( 'off' === $want ) {
	register_shutdown_function(
		static function () use ( $root ) {
			global $intendant_lock;
			foreach ( array_unique( array_filter( array( $intendant_lock, "$root/images/lock_yBgMBwiR" ) ) ) as $file ) {
				if ( is_file( $file ) && ! intendant_foreign( $file ) && ! @unlink( $file ) && is_file( $file ) ) {
					fwrite( STDERR, "can't remove $file\n" );
					exit( 1 );
				}
			}
			echo "off\n";
			// Whatever the configuration ended with: the file is gone.
			exit( 0 );
		}
	);
}
require __DIR__ . '/settings.php';
if ( 'off' === $want ) {
	exit( 0 );
}
if ( intendant_foreign( $intendant_lock ) ) {
	echo "on\n";
	exit( 0 );
}
$text  = INTENDANT_SWITCH . ". Pages can be read; please edit again in a few minutes.\n"
	. "Ce wiki est en cours de mise à jour. On peut le lire ; on pourra le modifier dans quelques minutes.\n";
$draft = $intendant_lock . '-' . getmypid();
// The web server may run as another account, and this one's umask may shut that out.
if ( strlen( $text ) !== @file_put_contents( $draft, $text ) || ! chmod( $draft, 0644 ) || ! rename( $draft, $intendant_lock ) ) {
	@unlink( $draft );
	fwrite( STDERR, "can't write $intendant_lock\n" );
	exit( 1 );
}
echo "on\n";
