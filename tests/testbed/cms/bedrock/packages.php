<?php
/**
 * Makes the packages of the test site, and says which of them its repositories offer:
 *
 *   php packages.php build DIR                  all versions of all packages, as archives, and catalogue.json
 *   php packages.php all DIR WWW none BASE      what is installed at first, as one answer without addresses of its own
 *   php packages.php offer DIR WWW WHAT BASE    the repositories' answers into the folder WWW; archives at BASE/dist
 *
 * WordPress is real (the testbed's two trees, beside DIR), and so is Composer, which installs it. The extensions are the
 * testbed's own; what the project needs besides is a STAND-IN with the name of the real one.
 */

const HERE = __DIR__;
/** What is offered besides what is installed. */
const OFFERS = array(
	'none'    => array(),
	'good'    => array( 'core' => '7.1.1', 'wpackagist-plugin/tb-base' => '1.1.0', 'wpackagist-plugin/tb-table' => '2.0', 'wpackagist-theme/tb-parent' => '1.1', 'wpackagist-theme/tb-child' => '1.1' ),
	// Fine on the command line, an error for visitors.
	'broken'  => array( 'wpackagist-plugin/tb-broken' => '1.1' ),
	// Composer says that it is installed, and its files are those of before.
	'lying'   => array( 'wpackagist-plugin/tb-base' => '1.2.0' ),
	// Its archive ends in the middle: the old files are gone when that shows.
	'failing' => array( 'wpackagist-plugin/tb-base' => '1.3.0' ),
);

/** The files of a tree, by their paths below it. */
function files( string $tree, string $without = '' ): array {
	$files = array();
	foreach ( new RecursiveIteratorIterator( new RecursiveDirectoryIterator( $tree, FilesystemIterator::SKIP_DOTS ) ) as $file ) {
		$path = substr( $file->getPathname(), strlen( $tree ) + 1 );
		if ( '.complete' !== $path && ( '' === $without || 0 !== strpos( $path, $without ) ) ) {
			$files[ $path ] = (string) file_get_contents( $file->getPathname() );
		}
	}
	ksort( $files, SORT_STRING );
	return $files;
}

function normal( string $version ): string {
	return implode( '.', array_slice( array_merge( explode( '.', $version ), array( '0', '0', '0' ) ), 0, 4 ) );
}

function archive( string $file, array $files, int $made ): void {
	@unlink( $file );
	$zip = new ZipArchive();
	$zip->open( $file, ZipArchive::CREATE );
	foreach ( $files as $path => $text ) {
		$zip->addFromString( "package/$path", $text );
		$zip->setCompressionName( "package/$path", ZipArchive::CM_DEFLATE, 1 );
		$zip->setMtimeName( "package/$path", $made );
		$zip->setExternalAttributesName( "package/$path", ZipArchive::OPSYS_UNIX, 0100644 << 16 );
	}
	$zip->close();
}

/** Every version of every package: name, version, type, files, what it needs, more. */
function packages( string $dir ): iterable {
	$own    = static fn( string $name ) => (string) file_get_contents( HERE . "/packages/$name.php" );
	$plugin = static fn( string $class, string $installer ) => array(
		"$class.php"          => str_replace( array( 'PLUGIN', 'INSTALLER' ), array( $class, "{$class}Installer" ), $own( 'plugin' ) ),
		"{$class}Installer.php" => str_replace( 'INSTALLER', "{$class}Installer", $own( $installer ) ),
	);
	$extra  = static fn( string $class ) => array( 'autoload' => array( 'classmap' => array( './' ) ), 'extra' => array( 'class' => "Testbed\\$class" ) );
	yield array( 'composer/installers', '2.3.0', 'composer-plugin', $plugin( 'Installers', 'installer' ), array( 'composer-plugin-api' => '^2' ), $extra( 'Installers' ) );
	yield array( 'roots/wordpress-core-installer', '3.0.0', 'composer-plugin', $plugin( 'CoreInstaller', 'core-installer' ), array( 'composer-plugin-api' => '^2' ), $extra( 'CoreInstaller' ) );
	yield array( 'vlucas/phpdotenv', '5.6.0', 'library', array( 'src/Dotenv.php' => $own( 'dotenv' ) ), array(), array( 'autoload' => array( 'psr-4' => array( 'Dotenv\\' => 'src/' ) ) ) );
	yield array( 'oscarotero/env', '2.1.0', 'library', array( 'env.php' => $own( 'env' ) ), array(), array( 'autoload' => array( 'files' => array( 'env.php' ) ) ) );
	yield array( 'roots/wp-config', '1.0.0', 'library', array( 'src/Config.php' => $own( 'config' ) ), array(), array( 'autoload' => array( 'psr-4' => array( 'Roots\\WPConfig\\' => 'src/' ) ) ) );
	foreach ( array( 'old' => '6.1.9', 'new' => '7.1.1' ) as $tree => $version ) {
		yield array( 'roots/wordpress', $version, 'metapackage', array(), array( 'roots/wordpress-core-installer' => '^3.0', 'roots/wordpress-no-content' => $version ), array() );
		yield array( 'roots/wordpress-no-content', $version, 'wordpress-core', files( dirname( $dir ) . "/$tree", 'wp-content/' ), array( 'roots/wordpress-core-installer' => '^3.0' ), array() );
	}
	foreach ( array( 'plugin' => array( 'tb-base', 'tb-broken', 'tb-table', 'tb-addon' ), 'theme' => array( 'tb-parent', 'tb-child' ) ) as $kind => $slugs ) {
		foreach ( $slugs as $slug ) {
			foreach ( glob( dirname( HERE, 2 ) . "/{$kind}s/$slug/*", GLOB_ONLYDIR ) as $tree ) {
				yield array( "wpackagist-$kind/$slug", basename( $tree ), "wordpress-$kind", files( $tree ), array( 'composer/installers' => '^1.0 || ^2.0' ), array() );
			}
		}
	}
	$base = files( dirname( HERE, 2 ) . '/plugins/tb-base/1.0.0' );
	yield array( 'wpackagist-plugin/tb-base', '1.2.0', 'wordpress-plugin', $base, array( 'composer/installers' => '^1.0 || ^2.0' ), array() );
	yield array( 'wpackagist-plugin/tb-base', '1.3.0', 'wordpress-plugin', $base, array( 'composer/installers' => '^1.0 || ^2.0' ), array( 'cut' => true ) );
}

function build( string $dir ): void {
	@mkdir( "$dir/dist", 0755, true );
	$catalogue = array();
	foreach ( packages( $dir ) as list( $name, $version, $type, $files, $requires, $more ) ) {
		$entry = array( 'name' => $name, 'version' => $version, 'version_normalized' => normal( $version ), 'type' => $type, 'require' => $requires, 'time' => '2026-01-15T00:00:00+00:00' ) + array_diff_key( $more, array( 'cut' => 1 ) );
		if ( array() === $requires ) {
			unset( $entry['require'] );
		}
		if ( $files ) {
			$file = str_replace( '/', '-', $name ) . "-$version.zip";
			archive( "$dir/dist/$file", $files + array( 'composer.json' => json_encode( array( 'name' => $name, 'type' => $type ) ) ), 1768435200 + 2 * crc32( $version ) % 1000000 );
			if ( ! empty( $more['cut'] ) ) {
				$bytes = file_get_contents( "$dir/dist/$file" );
				file_put_contents( "$dir/dist/$file", substr( $bytes, 0, (int) ( strlen( $bytes ) / 2 ) ) );
			}
			$entry['dist'] = array( 'type' => 'zip', 'url' => $file, 'reference' => $version, 'shasum' => sha1_file( "$dir/dist/$file" ) );
		}
		$catalogue[ $name ][ $version ] = $entry;
		if ( 'wordpress-core' === $type ) {
			put( "$dir/checksums/$version.json", array( 'checksums' => array_map( 'md5', $files ) ) );
		}
	}
	foreach ( $catalogue as $name => $versions ) {
		uksort( $versions, 'version_compare' );
		$catalogue[ $name ] = $versions;
	}
	put( "$dir/catalogue.json", $catalogue );
}

function put( string $file, $data ): void {
	@mkdir( dirname( $file ), 0755, true );
	file_put_contents( $file, json_encode( $data, JSON_UNESCAPED_SLASHES ) );
}

/** One version with the address of its archive. */
function addressed( array $one, string $base ): array {
	if ( isset( $one['dist'] ) ) {
		$one['dist']['url'] = "$base/dist/{$one['dist']['url']}";
	}
	return $one;
}

/** What is asked of WordPress.org: nothing newer for all that Composer brought, and a plugin that it did not. */
function wordpress_org( string $www, string $dir, string $what ): void {
	$newer = array( 'id' => 'w.org/plugins/tb-addon', 'slug' => 'tb-addon', 'plugin' => 'tb-addon/tb-addon.php', 'new_version' => '2.0', 'url' => 'https://wordpress.org/plugins/tb-addon/', 'package' => 'https://downloads.wordpress.org/plugin/tb-addon.2.0.zip' );
	put( "$www/checks/core.json", array( 'offers' => array( array( 'response' => 'latest', 'current' => '6.1.9', 'version' => '6.1.9', 'locale' => 'en_US', 'packages' => new stdClass() ) ), 'translations' => array() ) );
	put( "$www/checks/plugins.json", array( 'plugins' => 'none' === $what ? new stdClass() : array( 'tb-addon/tb-addon.php' => $newer ), 'no_update' => new stdClass(), 'translations' => array() ) );
	put( "$www/checks/themes.json", array( 'themes' => new stdClass(), 'no_update' => new stdClass(), 'translations' => array() ) );
	foreach ( glob( "$dir/checksums/*.json" ) as $file ) {
		put( "$www/checksums/" . basename( $file ), json_decode( file_get_contents( $file ) ) );
	}
}

list( , $what, $dir ) = $argv;
if ( 'build' === $what ) {
	build( $dir );
	exit( 0 );
}
list( , , , $www, $wanted, $base ) = $argv;
if ( ! isset( OFFERS[ $wanted ] ) ) {
	fwrite( STDERR, 'offer: one of ' . implode( ', ', array_keys( OFFERS ) ) . "\n" );
	exit( 2 );
}
$catalogue = json_decode( file_get_contents( "$dir/catalogue.json" ), true );
unset( $catalogue['wpackagist-plugin/tb-addon'] );
if ( 'all' === $what ) {
	foreach ( $catalogue as $name => $versions ) {
		$first              = array_key_first( $versions );
		$catalogue[ $name ] = array( $first => addressed( $versions[ $first ], $base ) );
	}
	put( "$www/packages.json", array( 'packages' => $catalogue ) );
	exit( 0 );
}
foreach ( glob( "$www/p2/*/*.json" ) ?: array() as $old ) {
	unlink( $old );
}
@mkdir( "$www/dist", 0755, true );
foreach ( glob( "$dir/dist/*.zip" ) as $file ) {
	if ( ! is_file( "$www/dist/" . basename( $file ) ) ) {
		copy( $file, "$www/dist/" . basename( $file ) );
	}
}
put( "$www/packages.json", array( 'packages' => array(), 'metadata-url' => '/p2/%package%.json', 'available-packages' => array_keys( $catalogue ), 'security-advisories' => array( 'metadata' => true ) ) );
foreach ( $catalogue as $name => $versions ) {
	$key    = preg_match( '{^roots/wordpress(?:-no-content)?$}', $name ) ? 'core' : $name;
	$listed = array();
	foreach ( array_unique( array_filter( array( OFFERS[ $wanted ][ $key ] ?? null, array_key_first( $versions ) ) ) ) as $version ) {
		$listed[] = addressed( $versions[ $version ], $base );
	}
	put( "$www/p2/$name.json", array( 'packages' => array( $name => $listed ), 'security-advisories' => array() ) );
}
wordpress_org( $www, $dir, $wanted );
