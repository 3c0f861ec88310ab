<?php
/**
 * A STAND-IN for the WordPress.org services (api.wordpress.org,
 * downloads.wordpress.org, wordpress.org) and for one vendor's licence server
 * (updates.testbed.example). It is not the original: it behaves like the
 * recorded original for the requests that WordPress and WP-CLI make while they
 * look for updates, apply them and verify files, with the same field names, the
 * same status codes and real packages built from real trees.
 *
 * What it offers and how it misbehaves is read at every request from the state
 * file of the instance (see `testbed offer` and `testbed fault`).
 */
$home      = getenv( 'STANDIN_HOME' );
$state     = json_decode( file_get_contents( getenv( 'STANDIN_STATE' ) ), true );
$catalogue = json_decode( file_get_contents( "$home/catalogue.json" ), true );
$fault     = $state['fault'];
$host      = strtolower( $_SERVER['HTTP_HOST'] ?? '' );
$path      = rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );

const HOSTILE = array(
	'x; rm -rf ~',
	'../../etc/passwd',
	'$(touch /tmp/owned)',
	'`touch /tmp/owned`',
	"'; DROP TABLE wp_options; --",
	'"><script>alert(1)</script>',
	"\x1b[2J\x1b[1;31mred\x07",
	"two\nlines\r\nand a \t tab",
	'--allow-root',
	"9.9 \u{202e}gpj.exe",
	'%s%s%n',
);

function answer( $data ): never {
	header( 'Content-Type: application/json; charset=utf-8' );
	echo json_encode( $data, JSON_UNESCAPED_SLASHES );
	exit;
}

function not_found( array $data = array( 'error' => 'Not found' ) ): never {
	http_response_code( 404 );
	answer( $data );
}

function hostile( int $n ): string {
	return 0 === ( $n + 1 ) % ( count( HOSTILE ) + 1 ) ? str_repeat( 'A', 10000 ) : HOSTILE[ $n % ( count( HOSTILE ) + 1 ) ];
}

/** Hands the file to the web server, cut in half when that is the fault of the day. */
function package( string $name ): never {
	global $home, $fault;
	$file = "$home/packages/$name";
	if ( ! preg_match( '/^[A-Za-z0-9._-]+\.zip$/', $name ) || ! is_file( $file ) ) {
		http_response_code( 404 );
		header( 'Content-Type: text/html' );
		echo '<html><head><title>404 Not Found</title></head></html>';
		exit;
	}
	header( 'Content-Type: application/zip' );
	header( "Content-Disposition: attachment; filename=$name" );
	if ( 'truncated' === $fault['kind'] && in_array( $fault['package'], array( $name, basename( $name, '.zip' ), strtok( $name, '.' ) ), true ) ) {
		$size = filesize( $file );
		header( 'Content-Length: ' . ( 'full' === $fault['length'] ? $size : intdiv( $size, 2 ) ) );
		if ( 'HEAD' !== $_SERVER['REQUEST_METHOD'] ) {
			echo file_get_contents( $file, false, null, 0, intdiv( $size, 2 ) );
		}
		exit;
	}
	header( "X-Accel-Redirect: /packages/$name" );
	exit;
}

function core_offer( string $version, string $response ): array {
	global $catalogue;
	$base = 'https://downloads.wordpress.org/release/wordpress-' . $version;
	$need = $catalogue['core'][ $version ];
	return array(
		'response'        => $response,
		'download'        => "$base.zip",
		'locale'          => 'en_US',
		'packages'        => array(
			'full'        => "$base.zip",
			'no_content'  => "$base-no-content.zip",
			'new_bundled' => "$base-new-bundled.zip",
			'partial'     => false,
			'rollback'    => false,
		),
		'current'         => $version,
		'version'         => $version,
		'php_version'     => $need['php_version'],
		'mysql_version'   => $need['mysql_version'],
		'new_bundled'     => '6.7',
		'partial_version' => false,
	);
}

function plugin_offer( string $slug, string $version, array $entry ): array {
	return array(
		'id'               => "w.org/plugins/$slug",
		'slug'             => $slug,
		'plugin'           => $entry['file'],
		'new_version'      => $version,
		'url'              => "https://wordpress.org/plugins/$slug/",
		'package'          => "https://downloads.wordpress.org/plugin/$slug.$version.zip",
		'icons'            => array( 'default' => "https://s.w.org/plugins/geopattern-icon/$slug.svg" ),
		'banners'          => array(),
		'banners_rtl'      => array(),
		'requires'         => $entry['requires'],
		'tested'           => $entry['tested'],
		'requires_php'     => '' === $entry['requires_php'] ? false : $entry['requires_php'],
		'requires_plugins' => $entry['requires_plugins'],
	);
}

function theme_offer( string $slug, string $version, array $entry ): array {
	return array(
		'theme'        => $slug,
		'new_version'  => $version,
		'url'          => "https://wordpress.org/themes/$slug/",
		'package'      => "https://downloads.wordpress.org/theme/$slug.$version.zip",
		'requires'     => '' === $entry['requires'] ? false : $entry['requires'],
		'requires_php' => '' === $entry['requires_php'] ? false : $entry['requires_php'],
	);
}

/** Splits what is installed into offers and what is up to date, as the original does. */
function offers( string $kind, array $installed, callable $make ): array {
	global $state, $catalogue;
	$answer = array( 'updates' => array(), 'no_update' => array() );
	foreach ( $installed as $key => $item ) {
		$slug    = 'plugins' === $kind ? strtok( (string) $key, '/' ) : (string) $key;
		$uri     = $item['UpdateURI'] ?? '';
		$version = $state['offers'][ $kind ][ $slug ] ?? 'none';
		if ( 'none' === $version || ! isset( $catalogue[ $kind ][ $slug ][ $version ] )
			|| ( '' !== $uri && ! preg_match( '#^(https?://)?(wordpress\.org|w\.org)/#', $uri ) ) ) {
			continue;
		}
		$newer = version_compare( $version, $item['Version'] ?? '0', '>' );
		$answer[ $newer ? 'updates' : 'no_update' ][ $key ] = $make( $slug, $version, $catalogue[ $kind ][ $slug ][ $version ] );
	}
	return $answer;
}

function hostile_offers( array $installed, string $name ): array {
	$bad = array();
	$n   = 0;
	foreach ( $installed as $key => $item ) {
		$bad[ $key ] = array(
			'id'           => hostile( $n ),
			'slug'         => hostile( $n + 1 ),
			$name          => $key,
			'new_version'  => '99.' . hostile( $n + 2 ),
			'url'          => 'javascript:' . hostile( $n + 3 ),
			'package'      => 'https://downloads.wordpress.org/plugin/' . hostile( $n ),
			'requires'     => hostile( $n + 4 ),
			'tested'       => hostile( $n + 5 ),
			'requires_php' => '7.4',
		);
		$n++;
	}
	for ( $i = 0; $i <= count( HOSTILE ); $i++ ) {
		$bad[ hostile( $i ) ] = array( 'slug' => hostile( $i ), $name => hostile( $i ), 'new_version' => hostile( $i ), 'package' => hostile( $i ) );
	}
	return $bad;
}

switch ( $fault['kind'] ) {
	case 'slow':
		usleep( (int) ( $fault['seconds'] * 1e6 ) );
		break;
	case 'down':
		http_response_code( 503 );
		header( 'Content-Type: text/html' );
		echo '<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>';
		exit;
	case 'garbage':
		header( 'Content-Type: text/html' );
		echo "<!DOCTYPE html>\n<title>Welcome to the hotel</title><p>Accept our conditions to use the network. {\"offers\": [";
		exit;
	case 'empty':
		exit;
}
$is_hostile = 'hostile' === $fault['kind'];

if ( 'updates.testbed.example' === $host ) {
	$version = $state['offers']['vendor'] ?? 'none';
	$valid   = 'TB-VALID' === ( $_GET['key'] ?? '' );
	if ( '/tb-licensed/offer' === $path ) {
		if ( 'none' === $version ) {
			answer( array() );
		}
		answer( array(
			'id'      => 'https://updates.testbed.example/tb-licensed/',
			'slug'    => 'tb-licensed',
			'version' => $is_hostile ? '99.' . hostile( 0 ) : $version,
			'url'     => 'https://updates.testbed.example/tb-licensed/',
			'package' => $valid ? "https://updates.testbed.example/tb-licensed.$version.zip?key=TB-VALID" : '',
			'tested'  => '7.1',
		) );
	}
	if ( preg_match( '#^/(tb-licensed\.[0-9.]+\.zip)$#', $path, $m ) ) {
		if ( ! $valid ) {
			http_response_code( 403 );
			answer( array( 'error' => 'licence required' ) );
		}
		package( $m[1] );
	}
	not_found();
}

if ( preg_match( '#^/(?:release|plugin|theme)/([^/]+\.zip)$#', $path, $m ) && 'downloads.wordpress.org' === $host ) {
	package( $m[1] );
}
if ( preg_match( '#^/(wordpress-[0-9.]+\.zip)$#', $path, $m ) && 'wordpress.org' === $host ) {
	package( $m[1] );
}
if ( '/latest.zip' === $path && 'wordpress.org' === $host ) {
	package( 'wordpress-' . array_key_last( $catalogue['core'] ) . '.zip' );
}
if ( preg_match( '#^/plugin-checksums/([a-z0-9-]+)/([0-9.]+)\.json$#', $path, $m ) && 'downloads.wordpress.org' === $host ) {
	$file = "$home/checksums/plugin-$m[1]-$m[2].json";
	if ( ! is_file( $file ) ) {
		not_found();
	}
	header( 'Content-Type: application/json' );
	readfile( $file );
	exit;
}
if ( 'api.wordpress.org' !== $host ) {
	not_found();
}

switch ( rtrim( $path, '/' ) ) {
	case '/core/version-check/1.7':
	case '/core/version-check/1.6':
		$offered = $state['offers']['core'];
		$running = $_GET['version'] ?? '0';
		if ( $is_hostile ) {
			$list = array();
			for ( $i = 0; $i <= count( HOSTILE ); $i++ ) {
				$list[] = array( 'response' => 'upgrade', 'download' => hostile( $i ), 'locale' => hostile( $i ), 'packages' => array( 'full' => hostile( $i ) ), 'current' => '99.' . hostile( $i ), 'version' => '99.' . hostile( $i ), 'php_version' => '7.4', 'mysql_version' => '5.5' );
			}
			// One that passes for a version, so that it gets further.
			$list[] = array( 'response' => 'upgrade', 'download' => 'https://downloads.wordpress.org/release/$(touch owned).zip', 'locale' => 'en_US', 'packages' => array( 'full' => 'https://downloads.wordpress.org/release/../../$(touch owned);x.zip' ), 'current' => '99.9.9', 'version' => '99.9.9', 'php_version' => '7.4', 'mysql_version' => '5.5' );
			answer( array( 'offers' => $list, 'translations' => array() ) );
		}
		if ( 'none' === $offered || ! isset( $catalogue['core'][ $offered ] ) ) {
			answer( array( 'offers' => isset( $catalogue['core'][ $running ] ) ? array( core_offer( $running, 'latest' ) ) : array(), 'translations' => array() ) );
		}
		$newer = version_compare( $offered, $running, '>' );
		answer( array( 'offers' => array( core_offer( $offered, $newer ? 'upgrade' : 'latest' ) ), 'translations' => array() ) );

	case '/core/stable-check/1.0':
		$latest = 'none' === $state['offers']['core'] ? array_key_last( $catalogue['core'] ) : $state['offers']['core'];
		$list   = array();
		foreach ( array_keys( $catalogue['core'] ) as $version ) {
			$list[ $version ] = $version === $latest ? 'latest' : 'insecure';
		}
		answer( $list );

	case '/core/checksums/1.0':
		$version = $_GET['version'] ?? '';
		$file    = "$home/checksums/core-$version.json";
		if ( ! preg_match( '/^[0-9.]+$/', $version ) || ! is_file( $file ) ) {
			answer( array( 'checksums' => false ) );
		}
		header( 'Content-Type: application/json' );
		readfile( $file );
		exit;

	case '/plugins/update-check/1.1':
		$asked = json_decode( $_POST['plugins'] ?? '', true )['plugins'] ?? array();
		if ( $is_hostile ) {
			answer( array( 'plugins' => hostile_offers( $asked, 'plugin' ), 'translations' => array(), 'no_update' => array() ) );
		}
		$found = offers( 'plugins', $asked, 'plugin_offer' );
		answer( array( 'plugins' => $found['updates'], 'translations' => array(), 'no_update' => $found['no_update'] ) );

	case '/themes/update-check/1.1':
		$asked = json_decode( $_POST['themes'] ?? '', true )['themes'] ?? array();
		if ( $is_hostile ) {
			answer( array( 'themes' => hostile_offers( $asked, 'theme' ), 'translations' => array(), 'no_update' => array() ) );
		}
		$found = offers( 'themes', $asked, 'theme_offer' );
		answer( array( 'themes' => $found['updates'], 'translations' => array(), 'no_update' => $found['no_update'] ) );

	case '/plugins/info/1.2':
	case '/themes/info/1.2':
		$kind    = str_starts_with( $path, '/plugins' ) ? 'plugins' : 'themes';
		$request = $_REQUEST['request'] ?? array();
		$slug    = is_array( $request ) ? (string) ( $request['slug'] ?? '' ) : '';
		if ( ! isset( $catalogue[ $kind ][ $slug ] ) || 'tb-licensed' === $slug ) {
			not_found( array( 'error' => 'plugins' === $kind ? 'Plugin not found.' : 'Theme not found' ) );
		}
		$version = $state['offers'][ $kind ][ $slug ] ?? 'none';
		$entry   = $catalogue[ $kind ][ $slug ][ $version ] ?? end( $catalogue[ $kind ][ $slug ] );
		$version = isset( $catalogue[ $kind ][ $slug ][ $version ] ) ? $version : array_key_last( $catalogue[ $kind ][ $slug ] );
		$single  = rtrim( $kind, 's' );
		$links   = array();
		foreach ( array_keys( $catalogue[ $kind ][ $slug ] ) as $v ) {
			$links[ $v ] = "https://downloads.wordpress.org/$single/$slug.$v.zip";
		}
		answer( array(
			'name'             => $entry['name'],
			'slug'             => $slug,
			'version'          => $version,
			'requires'         => '' === $entry['requires'] ? false : $entry['requires'],
			'tested'           => $entry['tested'],
			'requires_php'     => '' === $entry['requires_php'] ? false : $entry['requires_php'],
			'requires_plugins' => $entry['requires_plugins'] ?? array(),
			'last_updated'     => '2026-01-15 10:20am GMT',
			'homepage'         => "https://wordpress.org/$kind/$slug/",
			'download_link'    => $links[ $version ],
			'versions'         => $links,
		) );

	case '/translations/core/1.0':
	case '/translations/plugins/1.0':
	case '/translations/themes/1.0':
		answer( array( 'translations' => array() ) );

	case '/secret-key/1.1/salt':
		header( 'Content-Type: text/plain' );
		foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT' ) as $name ) {
			printf( "define('%s', '%s');\n", $name, bin2hex( random_bytes( 32 ) ) );
		}
		exit;

	default:
		not_found();
}
