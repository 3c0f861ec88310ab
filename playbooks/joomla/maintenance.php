<?php
/**
 * Has visitors wait, and ends that:
 *
 *   php maintenance.php ROOT on HASH
 *   php maintenance.php ROOT off
 *
 * Joomla's own switch is in configuration.php, and shows the page for visitors to our checks too. This one is the file
 * defines.php, which each of Joomla's three doors (site, administration, interface for programs) reads before anything else, if
 * there is one: a request whose header X-Intendant-Visit has this SHA-256 sees the site itself, and so does the command line.
 * configuration.php stays as it is. Where a site has a defines.php of its own, that one is read after ours, and comes back
 * into its place as it was, time and mode too.
 */

const INTENDANT_MARK = '/* Intendant keeps visitors waiting. */';

/** One of the doors: the file that is read first there, and where the site's own one waits. */
final class IntendantDoor {
	private $file;
	private $own;

	public function __construct( $folder ) {
		$this->file = "$folder/defines.php";
		$this->own  = "$folder/defines-intendant-own.php";
	}

	private function is_ours() {
		return is_file( $this->file ) && false !== strpos( (string) file_get_contents( $this->file, false, null, 0, 200 ), INTENDANT_MARK );
	}

	/** Why it could not be closed, or null. */
	public function close( $hash ) {
		if ( is_file( $this->file ) && ! $this->is_ours() ) {
			// Under both names for a moment, so that it is never gone.
			if ( is_file( $this->own ) && ! unlink( $this->own ) ) {
				return "can't remove $this->own";
			}
			if ( ! link( $this->file, $this->own ) ) {
				return "can't keep $this->file as $this->own";
			}
		}
		$text  = self::text( $hash );
		$draft = $this->file . '-' . getmypid();
		if ( strlen( $text ) === @file_put_contents( $draft, $text ) && chmod( $draft, 0644 ) && rename( $draft, $this->file ) ) {
			return null;
		}
		@unlink( $draft );
		return "can't write $this->file";
	}

	/** Why it could not be opened, or null. */
	public function open() {
		if ( $this->is_ours() && is_file( $this->own ) ) {
			return rename( $this->own, $this->file ) ? null : "can't put $this->own back as $this->file";
		}
		if ( $this->is_ours() ) {
			return unlink( $this->file ) ? null : "can't remove $this->file";
		}
		if ( is_file( $this->own ) ) {
			// The site's own one is back in its place already: a snapshot was restored.
			return unlink( $this->own ) ? null : "can't remove $this->own";
		}
		return null;
	}

	private static function text( $hash ) {
		$mark = INTENDANT_MARK;
		return <<<PHP
<?php
$mark
// Maintenance is under way. Intendant removes this file at the end.
if ( 'cli' !== PHP_SAPI && ! ( isset( \$_SERVER['HTTP_X_INTENDANT_VISIT'] ) && hash_equals( '$hash', hash( 'sha256', (string) \$_SERVER['HTTP_X_INTENDANT_VISIT'] ) ) ) ) {
	http_response_code( 503 );
	header( 'Retry-After: 300' );
	header( 'Cache-Control: no-store' );
	header( 'Content-Type: text/html; charset=utf-8' );
	\$intendant_french = 0 === stripos( isset( \$_SERVER['HTTP_ACCEPT_LANGUAGE'] ) ? \$_SERVER['HTTP_ACCEPT_LANGUAGE'] : '', 'fr' );
	echo '<!DOCTYPE html><title>', \$intendant_french ? 'Entretien en cours' : 'Maintenance', '</title><p>', \$intendant_french ? 'Ce site est en entretien. Revenez dans quelques minutes.' : 'This site is being maintained. Please come back in a few minutes.', '</p>';
	exit;
}
if ( is_file( __DIR__ . '/defines-intendant-own.php' ) ) {
	require_once __DIR__ . '/defines-intendant-own.php';
}

PHP;
	}
}

list( , $root, $want ) = $argv;
$hash                  = isset( $argv[3] ) ? $argv[3] : '';
if ( 'off' !== $want && ( 'on' !== $want || ! preg_match( '/^[0-9a-f]{64}$/', $hash ) ) ) {
	fwrite( STDERR, "usage: maintenance.php ROOT on HASH, with 64 hexadecimal digits, or ROOT off\n" );
	exit( 2 );
}
$failed = [];
foreach ( [ '', '/administrator', '/api' ] as $below ) {
	if ( is_dir( rtrim( $root, '/' ) . $below ) ) {
		$door     = new IntendantDoor( rtrim( $root, '/' ) . $below );
		$failed[] = 'on' === $want ? $door->close( $hash ) : $door->open();
	}
}
$failed = array_filter( $failed );
if ( $failed ) {
	fwrite( STDERR, implode( "\n", $failed ) . "\n" );
	exit( 1 );
}
echo $want, "\n";
