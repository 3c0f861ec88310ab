<?php
/**
 * Makes what the update services of an instance answer, as files: lists in XML, the list of Joomla's own releases, and packages.
 *
 *   php packages.php WWW WHAT [NEXT CA]
 *   php packages.php WWW first         only the packages of the first installation
 *
 * NEXT is the folder of a later whole release of Joomla, for a site that is made of a real one, and CA the authority that it
 * has to trust in the place of its own list.
 */

list( , $www, $what ) = $argv;
$next                 = isset( $argv[3] ) ? $argv[3] : '';
$bundle               = isset( $argv[4] ) && is_file( $argv[4] ) ? [ 'libraries/vendor/composer/ca-bundle/res/cacert.pem' => file_get_contents( $argv[4] ) ] : [];

/** Writes a package; the same files give the same bytes. */
function pack_up( $file, $files ) {
	is_dir( dirname( $file ) ) || mkdir( dirname( $file ), 0755, true );
	@unlink( $file );
	$zip = new ZipArchive();
	$zip->open( $file, ZipArchive::CREATE );
	foreach ( $files as $name => $text ) {
		$zip->addFromString( $name, $text );
		$zip->setMtimeName( $name, 1700000000 );
	}
	$zip->close();
	return file_get_contents( $file );
}

function manifest( $type, $name, $version, $attributes, $inside ) {
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<extension type=\"$type\" method=\"upgrade\"$attributes>\n\t<name>$name</name>\n\t<version>$version</version>\n$inside</extension>\n";
}

function server( $name, $type, $url ) {
	return "\t<updateservers>\n\t\t<server type=\"$type\" name=\"$name\">$url</server>\n\t</updateservers>\n";
}

const HOME  = 'https://updates.testbed.example';
const LISTS = 'https://update.joomla.org/language';

/** A plugin for the site; it marks each page, and one version of it breaks them. */
function demo( $version, $way ) {
	$work  = 'breaking' === $way ? "throw new Error( 'tbdemo is broken' );" : "\$app->setBody( str_replace( '</h1>', '</h1><p>tbdemo $version</p>', \$app->getBody() ) );";
	$files = [
		'tbdemo.php' => "<?php\ndefined( '_JEXEC' ) || die;\n\nclass PlgSystemTbdemo extends \\Joomla\\CMS\\Plugin\\CMSPlugin {\n\tpublic function onAfterRender() {\n\t\t\$app = \\Joomla\\CMS\\Factory::getApplication();\n\t\tif ( \$app->isClient( 'site' ) ) {\n\t\t\t$work\n\t\t}\n\t}\n}\n",
		'tbdemo.xml' => manifest( 'plugin', 'plg_system_tbdemo', $version, ' group="system"', "\t<files>\n\t\t<filename plugin=\"tbdemo\">tbdemo.php</filename>\n\t</files>\n" . server( 'Testbed demo', 'extension', HOME . '/tbdemo.xml' ) ),
	];
	return in_array( $way, [ 'lying', 'failing' ], true ) ? $files + [ 'STANDIN' => $way ] : $files;
}

/** A plugin that wants a download key. */
function licensed( $version ) {
	return [
		'tblicensed.php' => "<?php\ndefined( '_JEXEC' ) || die;\n\nclass PlgSystemTblicensed extends \\Joomla\\CMS\\Plugin\\CMSPlugin {}\n",
		'tblicensed.xml' => manifest( 'plugin', 'plg_system_tblicensed', $version, ' group="system"', "\t<files>\n\t\t<filename plugin=\"tblicensed\">tblicensed.php</filename>\n\t</files>\n\t<dlid prefix=\"dlid=\" suffix=\"\" />\n" . server( 'Testbed licensed', 'extension', HOME . '/tblicensed.xml' ) ),
	];
}

/** A package of a component and a module. */
function shop( $version, $work ) {
	$component = pack_up( "$work/com_tbshop.zip", [
		'tbshop.xml'       => manifest( 'component', 'com_tbshop', $version, '', "\t<administration>\n\t\t<files folder=\"admin\">\n\t\t\t<filename>tbshop.php</filename>\n\t\t</files>\n\t</administration>\n" ),
		'admin/tbshop.php' => "<?php\ndefined( '_JEXEC' ) || die;\necho 'tbshop $version';\n",
	] );
	$module    = pack_up( "$work/mod_tbshop.zip", [
		'mod_tbshop.xml' => manifest( 'module', 'mod_tbshop', $version, ' client="site"', "\t<files>\n\t\t<filename module=\"mod_tbshop\">mod_tbshop.php</filename>\n\t</files>\n" ),
		'mod_tbshop.php' => "<?php\ndefined( '_JEXEC' ) || die;\necho 'tbshop $version';\n",
	] );
	return [
		'pkg_tbshop.xml'          => manifest( 'package', 'Testbed shop', $version, '', "\t<packagename>tbshop</packagename>\n\t<files folder=\"packages\">\n\t\t<file type=\"component\" id=\"com_tbshop\">com_tbshop.zip</file>\n\t\t<file type=\"module\" id=\"mod_tbshop\" client=\"site\">mod_tbshop.zip</file>\n\t</files>\n" . server( 'Testbed shop', 'extension', HOME . '/tbshop.xml' ) ),
		'packages/com_tbshop.zip' => $component,
		'packages/mod_tbshop.zip' => $module,
	];
}

/** A translation. */
function german( $version, $work ) {
	$site = pack_up( "$work/site_de-DE.zip", [
		'install.xml'      => manifest( 'language', 'German (de-DE)', $version, ' client="site"', "\t<tag>de-DE</tag>\n\t<files>\n\t\t<filename>joomla.ini</filename>\n\t\t<filename file=\"meta\">install.xml</filename>\n\t\t<filename file=\"meta\">langmetadata.xml</filename>\n\t</files>\n" ),
		'langmetadata.xml' => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metafile client=\"site\">\n\t<name>German (de-DE)</name>\n\t<version>$version</version>\n\t<metadata>\n\t\t<name>German (Germany)</name>\n\t\t<tag>de-DE</tag>\n\t\t<rtl>0</rtl>\n\t\t<locale>de_DE.utf8</locale>\n\t\t<firstDay>1</firstDay>\n\t\t<weekEnd>0,6</weekEnd>\n\t\t<calendar>gregorian</calendar>\n\t</metadata>\n</metafile>\n",
		'joomla.ini'       => "JYES=\"Ja\" ; $version\n",
	] );
	return [
		'pkg_de-DE.xml'           => manifest( 'package', 'German Language Pack', "$version.1", '', "\t<packagename>de-DE</packagename>\n\t<files folder=\"packages\">\n\t\t<file type=\"language\" client=\"site\" id=\"de-DE\">site_de-DE.zip</file>\n\t</files>\n" . server( 'Testbed translations', 'collection', LISTS . '/translationlist_5.xml' ) ),
		'packages/site_de-DE.zip' => $site,
	];
}

/** A list of one update, and its package. */
function offer( $www, $name, $type, $folder, $version, $files ) {
	$bytes = pack_up( "$www/packages/$name-$version.zip", $files );
	$hash  = hash( 'sha256', $bytes );
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n\t<update>\n\t\t<name>$name</name>\n\t\t<element>$name</element>\n\t\t<type>$type</type>\n\t\t<folder>$folder</folder>\n\t\t<client>site</client>\n\t\t<version>$version</version>\n\t\t<downloads>\n\t\t\t<downloadurl type=\"full\" format=\"zip\">" . HOME . "/packages/$name-$version.zip</downloadurl>\n\t\t</downloads>\n\t\t<sha256>$hash</sha256>\n\t\t<tags><tag>stable</tag></tags>\n\t\t<targetplatform name=\"joomla\" version=\"(5|6)\\.[0-9]+\" />\n\t</update>\n</updates>\n";
}

/** What the next release of the stand-in changes. */
function next_core( $version, $way ) {
	$standin = __DIR__ . '/standin';
	$files   = [
		'libraries/src/Version.php'                 => str_replace( 'PATCH_VERSION = 1', 'PATCH_VERSION = 2', file_get_contents( "$standin/libraries/src/Version.php" ) ),
		'administrator/manifests/files/joomla.xml'  => str_replace( '5.1.1', $version, file_get_contents( "$standin/administrator/manifests/files/joomla.xml" ) ),
		'administrator/components/com_admin/sql/updates/mysql/5.1.2-2024-06-25.sql' => "-- What the next release needs.\nALTER TABLE `#__content` ADD COLUMN `tb_teaser` varchar(200) NOT NULL DEFAULT '';\n",
		'libraries/src/News.php'                    => "<?php\n// Came with $version.\n",
	];
	return '' === $way ? $files : $files + [ 'STANDIN' => $way ];
}

/** All files of a folder. */
function whole( $folder ) {
	$files = [];
	$walk  = new RecursiveIteratorIterator( new RecursiveDirectoryIterator( $folder, FilesystemIterator::SKIP_DOTS ) );
	foreach ( $walk as $file ) {
		$name = substr( $file->getPathname(), strlen( $folder ) + 1 );
		if ( $file->isFile() && 0 !== strpos( $name, 'installation/' ) && 'configuration.php' !== $name ) {
			$files[ $name ] = file_get_contents( $file->getPathname() );
		}
	}
	return $files;
}

$work = sys_get_temp_dir() . '/tb-joomla-' . getmypid();
mkdir( $work );
if ( 'first' === $what ) {
	pack_up( "$www/tbdemo.zip", demo( '1.0.0', '' ) );
	pack_up( "$www/tblicensed.zip", licensed( '1.0' ) );
	pack_up( "$www/tbshop.zip", shop( '1.0', $work ) );
	pack_up( "$www/de-DE.zip", german( '5.1.1', $work ) );
} else {
	$demo = [ 'none' => '1.0.0', 'broken' => '1.2.0' ];
	$demo = isset( $demo[ $what ] ) ? $demo[ $what ] : '1.1.0';
	$way  = 'broken' === $what ? 'breaking' : ( in_array( $what, [ 'lying', 'failing' ], true ) ? $what : '' );
	$new  = in_array( $what, [ 'good', 'lying-core', 'failing-core' ], true );
	is_dir( "$www/cms" ) || mkdir( "$www/cms", 0755, true );
	is_dir( "$www/language" ) || mkdir( "$www/language", 0755, true );
	file_put_contents( "$www/tbdemo.xml", offer( $www, 'tbdemo', 'plugin', 'system', $new && 'good' !== $what ? '1.0.0' : $demo, demo( $demo, $way ) ) );
	file_put_contents( "$www/tbshop.xml", offer( $www, 'pkg_tbshop', 'package', '', 'good' === $what ? '1.1' : '1.0', shop( 'good' === $what ? '1.1' : '1.0', $work ) ) );
	file_put_contents( "$www/tblicensed.xml", offer( $www, 'tblicensed', 'plugin', 'system', 'good' === $what ? '2.0' : '1.0', licensed( 'good' === $what ? '2.0' : '1.0' ) ) );
	$language = 'good' === $what ? '5.1.2' : '5.1.1';
	file_put_contents( "$www/language/de-DE_details.xml", offer( $www, 'pkg_de-DE', 'package', '', "$language.1", german( $language, $work ) ) );
	file_put_contents( "$www/language/translationlist_5.xml", "<extensionset name=\"Accredited Joomla! Translations\">\n\t<extension name=\"German\" element=\"pkg_de-DE\" type=\"package\" version=\"$language.1\" detailsurl=\"" . LISTS . "/de-DE_details.xml\" />\n\t<extension name=\"Danish\" element=\"pkg_da-DK\" type=\"package\" version=\"$language.1\" detailsurl=\"" . LISTS . "/da-DK_details.xml\" />\n</extensionset>\n" );

	// Of Joomla itself: its own list for the stand-in, and the list of a channel of one's own for a real one.
	$core = '5.1.2';
	if ( '' !== $next ) {
		preg_match_all( '/const (?:MAJOR|MINOR|PATCH)_VERSION = ([0-9]+)/', file_get_contents( "$next/libraries/src/Version.php" ), $found );
		$core = implode( '.', $found[1] );
	}
	$targets = [];
	if ( $new ) {
		$file = "$www/packages/joomla-$core.zip";
		if ( '' === $next || ! is_file( $file ) ) {
			pack_up( $file, '' === $next ? next_core( $core, 'good' === $what ? '' : substr( $what, 0, -5 ) ) : $bundle + whole( $next ) + [ 'joomla.xml' => file_get_contents( "$next/administrator/manifests/files/joomla.xml" ) ] );
		}
		$targets[ "Joomla_$core-Stable-Update_Package.zip" ] = [
			'hashes' => [ 'sha512' => hash_file( 'sha512', $file ) ],
			'custom' => [
				'name'        => "Joomla! $core",
				'version'     => $core,
				'php_minimum' => '8.1.0',
				'supported_databases' => [ 'mysql' => '8.0.13', 'mariadb' => '10.4', 'postgresql' => '12.0' ],
				'downloads'   => [ [ 'format' => 'zip', 'type' => 'full', 'url' => HOME . "/packages/joomla-$core.zip" ] ],
			],
		];
		file_put_contents( "$www/cms/extension.xml", "<updates>\n\t<update>\n\t\t<name>Joomla! $core</name>\n\t\t<element>joomla</element>\n\t\t<type>file</type>\n\t\t<version>$core</version>\n\t\t<downloads><downloadurl type=\"full\" format=\"zip\">" . HOME . "/packages/joomla-$core.zip</downloadurl></downloads>\n\t\t<tags><tag>stable</tag></tags>\n\t\t<targetplatform name=\"joomla\" version=\"5\\.[0-9]+\" />\n\t\t<php_minimum>8.1</php_minimum>\n\t</update>\n</updates>\n" );
	}
	file_put_contents( "$www/cms/targets.json", json_encode( [ 'signed' => [ '_type' => 'targets', 'targets' => (object) $targets ] ] ) );
	file_put_contents( "$www/cms/list.xml", "<extensionset name=\"Joomla Core\">\n" . ( $targets ? "\t<extension name=\"Joomla\" element=\"joomla\" type=\"file\" version=\"$core\" targetplatformversion=\"5\\.[0-9]+\" detailsurl=\"https://update.joomla.org/cms/extension.xml\" />\n" : '' ) . "</extensionset>\n" );
}
array_map( 'unlink', glob( "$work/*" ) );
rmdir( $work );
