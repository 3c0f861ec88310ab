<?php
/**
 * Builds the stand-in's catalogue: what it knows of every core, plugin and theme
 * version, read from the trees themselves (headers, MD5 and SHA-256 of the files).
 *
 *     php catalogue.php OUT_DIR core=VERSION=TREE plugin=SLUG=VERSION=TREE theme=SLUG=VERSION=TREE ...
 *
 * Writes OUT_DIR/catalogue.json and OUT_DIR/checksums/*.json.
 */
$out = $argv[1];
@mkdir( "$out/checksums", 0755, true );
$catalogue = array( 'core' => array(), 'plugins' => array(), 'themes' => array() );

/** Plugins for which the original would publish no checksums. */
const WITHOUT_CHECKSUMS = array( 'tb-licensed', 'tb-newphp' );

function headers_of( string $file ): array {
	$text  = str_replace( "\r", "\n", substr( (string) file_get_contents( $file ), 0, 8192 ) );
	$names = array( 'Plugin Name', 'Theme Name', 'Version', 'Requires at least', 'Requires PHP', 'Requires Plugins', 'Tested up to', 'Update URI', 'Template' );
	$found = array();
	foreach ( $names as $name ) {
		if ( preg_match( '/^[ \t\/*#@]*' . preg_quote( $name, '/' ) . ':(.*)$/mi', $text, $m ) ) {
			$found[ $name ] = trim( preg_replace( '/\s*(?:\*\/|\?>).*/', '', $m[1] ) );
		}
	}
	return $found;
}

function files_of( string $tree ): array {
	$files = array();
	$walk  = new RecursiveIteratorIterator( new RecursiveDirectoryIterator( $tree, FilesystemIterator::SKIP_DOTS ) );
	foreach ( $walk as $file ) {
		$files[] = substr( $file->getPathname(), strlen( $tree ) + 1 );
	}
	sort( $files, SORT_STRING );
	return $files;
}

function write_json( string $path, array $data ): void {
	file_put_contents( $path, json_encode( $data, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR ) );
}

foreach ( array_slice( $argv, 2 ) as $item ) {
	$parts = explode( '=', $item );
	$kind  = $parts[0];
	$tree  = end( $parts );
	if ( 'core' === $kind ) {
		$version = $parts[1];
		$sums    = array();
		foreach ( files_of( $tree ) as $file ) {
			$sums[ $file ] = md5_file( "$tree/$file" );
		}
		write_json( "$out/checksums/core-$version.json", array( 'checksums' => $sums ) );
		$globals = ( static function ( $file ) {
			include $file;
			return array( 'php_version' => $required_php_version, 'mysql_version' => $required_mysql_version );
		} )( "$tree/wp-includes/version.php" );
		$catalogue['core'][ $version ] = $globals;
		continue;
	}
	list( , $slug, $version ) = $parts;
	if ( 'theme' === $kind ) {
		$headers = headers_of( "$tree/style.css" );
	} else {
		$headers = array();
		foreach ( glob( "$tree/*.php" ) as $file ) {
			$headers = headers_of( $file );
			if ( isset( $headers['Plugin Name'] ) ) {
				$main = basename( $file );
				break;
			}
		}
		$readme  = is_file( "$tree/readme.txt" ) ? headers_of( "$tree/readme.txt" ) : array();
		$headers += $readme;
	}
	if ( ( $headers['Version'] ?? '' ) !== $version ) {
		fwrite( STDERR, "testbed: $kind $slug says version {$headers['Version']}, not $version\n" );
		exit( 1 );
	}
	$entry = array(
		'name'         => $headers['Plugin Name'] ?? $headers['Theme Name'],
		'requires'     => $headers['Requires at least'] ?? '',
		'requires_php' => $headers['Requires PHP'] ?? '',
		'tested'       => $headers['Tested up to'] ?? '',
	);
	if ( 'plugin' === $kind ) {
		$entry['file']             = "$slug/$main";
		$entry['update_uri']       = $headers['Update URI'] ?? '';
		$entry['requires_plugins'] = array_values( array_filter( array_map( 'trim', explode( ',', $headers['Requires Plugins'] ?? '' ) ) ) );
		if ( ! in_array( $slug, WITHOUT_CHECKSUMS, true ) ) {
			$sums = array();
			foreach ( files_of( $tree ) as $file ) {
				$sums[ $file ] = array( 'md5' => md5_file( "$tree/$file" ), 'sha256' => hash_file( 'sha256', "$tree/$file" ) );
			}
			write_json( "$out/checksums/plugin-$slug-$version.json", array(
				'plugin'  => $slug,
				'version' => $version,
				'source'  => "https://plugins.svn.wordpress.org/$slug/tags/$version/",
				'zip'     => "https://downloads.wordpress.org/plugins/$slug.$version.zip",
				'files'   => $sums,
			) );
		}
	}
	$catalogue[ $kind . 's' ][ $slug ][ $version ] = $entry;
}
foreach ( array( 'plugins', 'themes' ) as $kind ) {
	foreach ( $catalogue[ $kind ] as &$versions ) {
		uksort( $versions, 'version_compare' );
	}
	unset( $versions );
}
uksort( $catalogue['core'], 'version_compare' );
write_json( "$out/catalogue.json", $catalogue );
