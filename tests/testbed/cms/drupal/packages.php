<?php
/**
 * Makes the packages of the test site, and says which of them its repositories offer:
 *
 *   php packages.php build DIR                  all versions of all packages, as archives, and catalogue.json
 *   php packages.php all DIR WWW none BASE      what is installed at first, as one answer without addresses of its own
 *   php packages.php offer DIR WWW WHAT BASE    the repositories' answers into the folder WWW; archives at BASE/dist
 *
 * The packages are STAND-INS with the names and numbers of real ones. Composer, which installs them, is real.
 */

const HERE = __DIR__;

function info( string $name, string $title, string $type, ?string $version, string $more = '' ): string {
	$core = 'module' === $type || 'theme' === $type ? "core_version_requirement: ^10 || ^11\n" : '';
	$end  = $version ? "\n# Information added by Drupal.org packaging script on 2026-01-15\nversion: '$version'\nproject: '$name'\ndatestamp: 1768435200\n" : '';
	return "name: '$title'\ntype: $type\ndescription: 'A stand-in.'\n$core$more$end";
}

/** A module's files; $php stands in its .module. */
function module( string $name, string $title, string $version, string $php = '', array $more = array() ): array {
	return array(
		"$name.info.yml" => info( $name, $title, 'module', $version ),
		"$name.module"   => "<?php\n// STAND-IN for the module $name.\nfunction {$name}_page_bottom() {\n\t$php\n\treturn array( '$name' => '<!-- $name $version -->' );\n}\n",
	) + $more;
}

function core( string $version, string $updates, string $requirements = '' ): array {
	$modules = array();
	foreach ( array( 'system' => 'System', 'node' => 'Node', 'user' => 'User' ) as $name => $title ) {
		$modules[ "modules/$name/$name.info.yml" ] = "name: $title\ntype: module\npackage: Core\nversion: VERSION\n";
		$modules[ "modules/$name/$name.module" ]   = "<?php\n";
	}
	return array(
		'lib/Drupal.php'              => "<?php\n// STAND-IN for Drupal's core.\nrequire_once __DIR__ . '/../includes/runtime.php';\nclass Drupal {\n  use TestbedDrupal;\n  /**\n   * The current system version.\n   */\n  const VERSION = '$version';\n}\n",
		'includes/runtime.php'        => file_get_contents( HERE . '/core/runtime.php' ),
		'includes/install.inc'        => "<?php\n",
		'includes/update.inc'         => "<?php\n",
		'modules/system/system.install' => "<?php\n$updates\nfunction system_requirements( \$phase ) {\n\t$requirements\n\treturn array();\n}\n",
		'themes/stark/stark.info.yml' => "name: Stark\ntype: theme\npackage: Core\nversion: VERSION\n",
		'assets/scaffold/files/index.php' => file_get_contents( HERE . '/core/index.php' ) . "// $version\n",
		'assets/scaffold/files/default.settings.php' => "<?php\n// STAND-IN, of $version.\n",
	) + $modules;
}

$update_10600 = "/**\n * Equivalent update to 11300.\n */\nfunction system_update_10600() {\n\tTestbedKernel::get()->set( 'state', 'testbed.updated', '10600' );\n}\n";
$drush        = file_get_contents( HERE . '/drush/drush.php' );
$packages     = array();
$add          = static function ( string $name, string $version, string $type, array $files, array $requires = array(), array $more = array() ) use ( &$packages ) {
	$packages[ $name ][ $version ] = array( 'type' => $type, 'files' => $files, 'requires' => $requires, 'more' => $more );
};
foreach ( array( '10.5.9' => '', '10.6.12' => $update_10600, '11.2.5' => $update_10600 ) as $version => $updates ) {
	$add( 'drupal/core', $version, 'drupal-core', core( $version, $updates ), array( 'php' => version_compare( $version, '11', '<' ) ? '>=8.1.0' : '>=8.3.0' ) );
	$add( 'drupal/core-recommended', $version, 'metapackage', array(), array( 'drupal/core' => $version ) );
	$add( 'drupal/core-project-message', $version, 'library', array( 'README.txt' => "STAND-IN\n" ) );
	$add(
		'drupal/core-composer-scaffold',
		$version,
		'composer-plugin',
		array( 'Scaffold.php' => file_get_contents( HERE . '/plugins/scaffold.php' ), 'RELEASE.txt' => "$version\n" ),
		array( 'composer-plugin-api' => '^2' ),
		array( 'autoload' => array( 'classmap' => array( 'Scaffold.php' ) ), 'extra' => array( 'class' => 'Testbed\\Scaffold' ) )
	);
}
$add(
	'composer/installers',
	'2.3.0',
	'composer-plugin',
	array( 'Installers.php' => file_get_contents( HERE . '/plugins/installers.php' ), 'DrupalInstaller.php' => file_get_contents( HERE . '/plugins/installer.php' ) ),
	array( 'composer-plugin-api' => '^2' ),
	array( 'autoload' => array( 'classmap' => array( 'Installers.php', 'DrupalInstaller.php' ) ), 'extra' => array( 'class' => 'Testbed\\Installers' ) )
);
foreach ( array( '12.5.2', '12.5.3' ) as $version ) {
	$add( 'drush/drush', $version, 'library', array( 'drush.php' => $drush, 'drush' => $drush, 'RELEASE.txt' => "$version\n" ), array(), array( 'bin' => array( 'drush' ) ) );
}
$add( 'drupal/token', '1.14.0', 'drupal-module', module( 'token', 'Token', '8.x-1.14' ) );
$add( 'drupal/token', '1.15.0', 'drupal-module', module( 'token', 'Token', '8.x-1.15' ) );
// Fine on the command line, an error for visitors.
$add( 'drupal/token', '1.16.0', 'drupal-module', module( 'token', 'Token', '8.x-1.16', "if ( 'cli' !== PHP_SAPI ) { throw new \\Error( 'Call to undefined method Drupal\\\\token\\\\Token::broken()' ); }" ) );
// Composer says that it is installed, and its files are those of before.
$add( 'drupal/token', '1.17.0', 'drupal-module', module( 'token', 'Token', '8.x-1.14' ) );
// Its archive ends in the middle: the old files are gone when that shows.
$add( 'drupal/token', '1.18.0', 'drupal-module', module( 'token', 'Token', '8.x-1.18' ), array(), array( 'cut' => true ) );
$ctools = static fn( $version ) => module( 'ctools', 'Chaos Tools', $version, '', array( 'modules/ctools_views/ctools_views.info.yml' => info( 'ctools', 'Chaos Tools Views', 'module', $version ), 'modules/ctools_views/ctools_views.module' => "<?php\n" ) );
$add( 'drupal/ctools', '3.14.0', 'drupal-module', $ctools( '8.x-3.14' ) );
$add( 'drupal/ctools', '4.1.0', 'drupal-module', $ctools( '4.1.0' ) );
$add( 'drupal/pathauto', '1.12.0', 'drupal-module', module( 'pathauto', 'Pathauto', '8.x-1.12' ), array( 'drupal/token' => '*', 'drupal/ctools' => '*' ) );
$add( 'drupal/pathauto', '1.13.0', 'drupal-module', module( 'pathauto', 'Pathauto', '8.x-1.13' ), array( 'drupal/core' => '^10.6', 'drupal/token' => '*', 'drupal/ctools' => '*' ) );
$add( 'drupal/gin', '3.0.0', 'drupal-theme', array( 'gin.info.yml' => info( 'gin', 'Gin', 'theme', '8.x-3.0' ), 'gin.theme' => "<?php\n" ) );

/** What is offered besides what is installed. */
const OFFERS = array(
	'none'    => array(),
	'good'    => array( 'drupal/core' => '10.6.12', 'drupal/token' => '1.15.0', 'drupal/pathauto' => '1.13.0', 'drupal/ctools' => '4.1.0' ),
	'broken'  => array( 'drupal/token' => '1.16.0' ),
	'lying'   => array( 'drupal/token' => '1.17.0' ),
	'failing' => array( 'drupal/token' => '1.18.0' ),
	'major'   => array( 'drupal/core' => array( '11.2.5', '10.6.12' ) ),
);
const INSTALLED = array(
	'drupal/core'         => '10.5.9',
	'drupal/token'        => '1.14.0',
	'drupal/pathauto'     => '1.12.0',
	'drupal/ctools'       => '3.14.0',
	'drupal/gin'          => '3.0.0',
	'composer/installers' => '2.3.0',
	'drush/drush'         => '12.5.2',
);

function archive( string $file, array $files, int $made ): void {
	@unlink( $file );
	$zip = new ZipArchive();
	$zip->open( $file, ZipArchive::CREATE );
	foreach ( $files as $path => $text ) {
		$zip->addFromString( "package/$path", $text );
		$zip->setMtimeName( "package/$path", $made );
		$zip->setExternalAttributesName( "package/$path", ZipArchive::OPSYS_UNIX, ( ( 0100000 | ( 0 === strpos( $text, '#!' ) ? 0755 : 0644 ) ) << 16 ) );
	}
	$zip->close();
}

list( , $what, $dir ) = $argv;
if ( 'build' === $what ) {
	@mkdir( "$dir/dist", 0755, true );
	$catalogue = array();
	foreach ( $packages as $name => $versions ) {
		foreach ( $versions as $version => $one ) {
			$entry = array( 'name' => $name, 'version' => $version, 'version_normalized' => "$version.0", 'type' => $one['type'], 'require' => (object) $one['requires'], 'time' => '2026-01-15T00:00:00+00:00' );
			foreach ( array( 'autoload', 'extra', 'bin' ) as $key ) {
				if ( isset( $one['more'][ $key ] ) ) {
					$entry[ $key ] = $one['more'][ $key ];
				}
			}
			if ( $one['files'] ) {
				$file = str_replace( '/', '-', $name ) . "-$version.zip";
				archive( "$dir/dist/$file", $one['files'] + array( 'composer.json' => json_encode( array( 'name' => $name, 'type' => $one['type'] ) ) ), 1768435200 + 2 * crc32( $version ) % 1000000 );
				if ( ! empty( $one['more']['cut'] ) ) {
					$bytes = file_get_contents( "$dir/dist/$file" );
					file_put_contents( "$dir/dist/$file", substr( $bytes, 0, (int) ( strlen( $bytes ) / 2 ) ) );
				}
				$entry['dist'] = array( 'type' => 'zip', 'url' => $file, 'reference' => $version, 'shasum' => sha1_file( "$dir/dist/$file" ) );
			}
			$catalogue[ $name ][ $version ] = $entry;
		}
	}
	file_put_contents( "$dir/catalogue.json", json_encode( $catalogue, JSON_UNESCAPED_SLASHES ) );
	exit( 0 );
}

list( , , , $www, $wanted, $base ) = $argv;
if ( ! isset( OFFERS[ $wanted ] ) ) {
	fwrite( STDERR, "offer: one of " . implode( ', ', array_keys( OFFERS ) ) . "\n" );
	exit( 2 );
}
$catalogue = json_decode( file_get_contents( "$dir/catalogue.json" ), true );
if ( 'all' === $what ) {
	$all = array();
	foreach ( $catalogue as $name => $versions ) {
		$version              = INSTALLED[ 0 === strpos( $name, 'drupal/core' ) ? 'drupal/core' : $name ];
		$all[ $name ][ $version ] = $versions[ $version ];
		if ( isset( $all[ $name ][ $version ]['dist'] ) ) {
			$all[ $name ][ $version ]['dist']['url'] = "$base/dist/{$versions[ $version ]['dist']['url']}";
		}
	}
	file_put_contents( "$www/packages.json", json_encode( array( 'packages' => $all ), JSON_UNESCAPED_SLASHES ) );
	exit( 0 );
}
foreach ( array( 'p2', '8', 'files/packages/8/p2' ) as $folder ) {
	@mkdir( "$www/$folder", 0755, true );
	foreach ( glob( "$www/$folder/*/*.json" ) ?: array() as $old ) {
		unlink( $old );
	}
}
if ( ! is_dir( "$www/dist" ) ) {
	mkdir( "$www/dist", 0755, true );
}
foreach ( glob( "$dir/dist/*.zip" ) as $file ) {
	copy( $file, "$www/dist/" . basename( $file ) );
}
// The core and tools are on packagist.org, extensions on drupal.org.
$places = array( 'p2' => array(), 'files/packages/8/p2' => array() );
foreach ( array_keys( $catalogue ) as $name ) {
	$places[ 0 === strpos( $name, 'drupal/core' ) || 0 !== strpos( $name, 'drupal/' ) ? 'p2' : 'files/packages/8/p2' ][] = $name;
}
foreach ( array( 'packages.json' => 'p2', '8/packages.json' => 'files/packages/8/p2' ) as $file => $place ) {
	$answer = array( 'packages' => array(), 'metadata-url' => "/$place/%package%.json", 'available-packages' => $places[ $place ], 'security-advisories' => array( 'metadata' => true ) );
	file_put_contents( "$www/$file", json_encode( $answer, JSON_UNESCAPED_SLASHES ) );
}
foreach ( $catalogue as $name => $versions ) {
	$core   = 0 === strpos( $name, 'drupal/core' );
	$key    = $core ? 'drupal/core' : $name;
	$listed = array();
	foreach ( array_merge( (array) ( OFFERS[ $wanted ][ $key ] ?? array() ), array( INSTALLED[ $key ] ) ) as $version ) {
		if ( isset( $versions[ $version ] ) ) {
			$one = $versions[ $version ];
			if ( isset( $one['dist'] ) ) {
				$one['dist']['url'] = "$base/dist/{$one['dist']['url']}";
			}
			if ( array() === $one['require'] ) {
				unset( $one['require'] );
			}
			$listed[] = $one;
		}
	}
	$place  = in_array( $name, $places['p2'], true ) ? 'p2' : 'files/packages/8/p2';
	$answer = array( 'packages' => array( $name => $listed ), 'security-advisories' => array() );
	if ( 'drupal/token' === $name ) {
		$answer['security-advisories'][] = array(
			'advisoryId'       => 'SA-CONTRIB-2026-001',
			'packageName'      => $name,
			'remoteId'         => 'SA-CONTRIB-2026-001',
			'title'            => 'Token - Moderately critical - Access bypass - SA-CONTRIB-2026-001',
			'link'             => 'https://www.drupal.org/sa-contrib-2026-001',
			'cve'              => 'CVE-2026-0001',
			'affectedVersions' => '<1.15.0',
			'source'           => 'Drupal Security Advisory',
			'sources'          => array( array( 'name' => 'Drupal Security Advisory', 'remoteId' => 'SA-CONTRIB-2026-001' ) ),
			'reportedAt'       => '2026-01-15 17:00:00',
			'composerRepository' => 'https://packages.drupal.org/8',
			'severity'         => 'medium',
		);
	}
	@mkdir( "$www/$place/" . dirname( $name ), 0755, true );
	file_put_contents( "$www/$place/$name.json", json_encode( $answer, JSON_UNESCAPED_SLASHES ) );
}
