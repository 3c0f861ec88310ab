<?php
/**
 * Reads LocalSettings.php without running MediaWiki, for the other scripts: they `require` this with the site's
 * folder in $root, from the global scope, because the configuration is written for that.
 *
 * The configuration is the site's own program, and it runs as the site's own account, as it does for every visitor.
 * Extensions and skins are not loaded, only noted. Where it can't be read to its end, what it had set by then counts
 * ($intendant_trouble says so): the database and the folders stand at its beginning.
 */

ini_set( 'display_errors', 'stderr' );

/** What LocalSettings.php loads: extension:Name and skin:Name. */
$intendant_loaded  = array();
$intendant_trouble = null;

/** A number such as 1.39.17, from the file that has it in 1.35 and newer, or from where it stood before; or ''. */
function intendant_core_version( $root ) {
	foreach ( array( 'includes/Defines.php' => "/define\(\s*'MW_VERSION',\s*'([^']+)'/", 'includes/DefaultSettings.php' => "/\\\$wgVersion\s*=\s*'([^']+)'/" ) as $file => $pattern ) {
		if ( preg_match( $pattern, (string) @file_get_contents( "$root/$file", false, null, 0, 1 << 20 ), $found ) ) {
			return $found[1];
		}
	}
	return '';
}

/** 1.39.17 → 1.39 */
function intendant_series( $version ) {
	return preg_match( '/^[0-9]+\.[0-9]+/', $version, $found ) ? $found[0] : '';
}

/** A JSON object in a file, or null. */
function intendant_json( $file ) {
	$text = is_file( $file ) ? @file_get_contents( $file, false, null, 0, 4 << 20 ) : false;
	$json = false === $text ? null : json_decode( $text, true );
	return is_array( $json ) ? $json : null;
}

/**
 * What an extension or a skin says of itself: array( version, branch, commit, manifest ).
 * A snapshot of ExtensionDistributor has the branch and the commit in gitinfo.json. Most extensions never change the
 * version in their manifest, so the version of a snapshot is its branch and the time of its commit: 1.39.20240312.0815.
 */
function intendant_component( $folder, $kind ) {
	$manifest = intendant_json( "$folder/$kind.json" );
	// Some skins are written as extensions.
	$manifest = $manifest ? $manifest : intendant_json( "$folder/" . ( 'skin' === $kind ? 'extension' : 'skin' ) . '.json' );
	$git      = intendant_json( "$folder/gitinfo.json" );
	$version  = isset( $manifest['version'] ) && is_scalar( $manifest['version'] ) ? trim( (string) $manifest['version'] ) : '';
	$branch   = null;
	$commit   = null;
	// "branch" holds the name of a branch, or just the commit; the file `version` always begins with both names.
	$told = (string) @file_get_contents( "$folder/version", false, null, 0, 500 );
	if ( $git && ! is_dir( "$folder/.git" ) && isset( $git['headSHA1'], $git['headCommitDate'] )
		&& preg_match( '/^[0-9a-f]{40}$/', trim( (string) $git['headSHA1'] ) )
		&& ( preg_match( '/REL([0-9]+)_([0-9]+)/', (string) ( isset( $git['branch'] ) ? $git['branch'] : '' ), $found ) || preg_match( '/REL([0-9]+)_([0-9]+)/', $told, $found ) )
	) {
		$branch  = $found[0];
		$commit  = trim( (string) $git['headSHA1'] );
		$version = $found[1] . '.' . $found[2] . gmdate( '.Ymd.Hi', (int) $git['headCommitDate'] );
	}
	return array( $version, $branch, $commit, $manifest );
}

/** The folders of extensions or skins: name => path. */
function intendant_folders( $root, $kind ) {
	$all = array();
	foreach ( (array) @scandir( "$root/{$kind}s" ) as $name ) {
		if ( is_string( $name ) && '' !== $name && '.' !== $name[0] && is_dir( "$root/{$kind}s/$name" ) ) {
			$all[ $name ] = "$root/{$kind}s/$name";
		}
	}
	return array_slice( $all, 0, 2000, true );
}

function wfLoadExtension( $name, $path = null ) {
	$GLOBALS['intendant_loaded'][ 'extension:' . $name ] = true;
}
function wfLoadExtensions( array $names ) {
	array_map( 'wfLoadExtension', $names );
}
function wfLoadSkin( $name, $path = null ) {
	$GLOBALS['intendant_loaded'][ 'skin:' . $name ] = true;
}
function wfLoadSkins( array $names ) {
	array_map( 'wfLoadSkin', $names );
}
function enableSemantics( $host = null, $complete = false ) {
	wfLoadExtension( 'SemanticMediaWiki' );
	return new stdClass();
}

define( 'MEDIAWIKI', true );
if ( ! defined( 'MW_ENTRY_POINT' ) ) {
	define( 'MW_ENTRY_POINT', 'cli' );
}

$IP                = $root;
$wgCommandLineMode = true;
$wgDBtype          = 'mysql';
$wgDBserver        = 'localhost';
$wgDBport          = 5432;
$wgDBname          = null;
$wgDBuser          = null;
$wgDBpassword      = '';
$wgDBprefix        = '';
$wgDBmwschema      = 'mediawiki';
$wgDBssl           = false;
$wgDBservers       = false;
$wgSQLiteDataDir   = '';
$wgSharedDB        = null;
$wgReadOnly        = null;
$wgReadOnlyFile    = false;
$wgUploadDirectory = false;
$wgDebugLogFile    = '';
$wgServer          = null;
$wgScriptPath      = '/wiki';
$wgLocalisationCacheConf = array( 'manualRecache' => false );
foreach ( array( 'wgGroupPermissions', 'wgHooks', 'wgExtensionFunctions', 'wgNamespacesWithSubpages', 'wgExtraNamespaces', 'wgContentNamespaces', 'wgFileExtensions', 'wgLBFactoryConf' ) as $intendant_name ) {
	$GLOBALS[ $intendant_name ] = array();
}

$intendant_file = getenv( 'MW_CONFIG_FILE' ) ? getenv( 'MW_CONFIG_FILE' ) : "$root/LocalSettings.php";
if ( ! is_file( $intendant_file ) || ! is_readable( $intendant_file ) ) {
	$intendant_trouble = 'there is no LocalSettings.php that this account can read';
} else {
	ob_start();
	try {
		// The constants that configurations use; a site between two versions may lack the file.
		if ( is_file( "$root/includes/Defines.php" ) ) {
			include_once "$root/includes/Defines.php";
		}
	} catch ( Throwable $intendant_error ) {
		$intendant_trouble = null;
	}
	foreach ( array( 'NS_MEDIA' => -2, 'NS_SPECIAL' => -1, 'NS_MAIN' => 0, 'NS_TALK' => 1, 'NS_USER' => 2, 'NS_USER_TALK' => 3, 'NS_PROJECT' => 4, 'NS_PROJECT_TALK' => 5, 'NS_FILE' => 6, 'NS_FILE_TALK' => 7, 'NS_MEDIAWIKI' => 8, 'NS_TEMPLATE' => 10, 'NS_HELP' => 12, 'NS_CATEGORY' => 14, 'CACHE_ANYTHING' => -1, 'CACHE_NONE' => 0, 'CACHE_DB' => 1, 'CACHE_MEMCACHED' => 'memcached-php', 'CACHE_ACCEL' => 3 ) as $intendant_name => $intendant_value ) {
		if ( ! defined( $intendant_name ) ) {
			define( $intendant_name, $intendant_value );
		}
	}
	try {
		require $intendant_file;
	} catch ( Throwable $intendant_error ) {
		$intendant_trouble = 'LocalSettings.php can\'t be read to its end: ' . get_class( $intendant_error ) . ' in line ' . $intendant_error->getLine();
	}
	ob_end_clean();
}
if ( is_array( $wgDBservers ) && isset( $wgDBservers[0] ) && is_array( $wgDBservers[0] ) ) {
	// Of several servers the first is the one that is written to.
	foreach ( array( 'host' => 'wgDBserver', 'dbname' => 'wgDBname', 'user' => 'wgDBuser', 'password' => 'wgDBpassword', 'type' => 'wgDBtype', 'tablePrefix' => 'wgDBprefix' ) as $intendant_name => $intendant_value ) {
		if ( isset( $wgDBservers[0][ $intendant_name ] ) ) {
			$GLOBALS[ $intendant_value ] = $wgDBservers[0][ $intendant_name ];
		}
	}
}
$wgUploadDirectory = is_string( $wgUploadDirectory ) && '' !== $wgUploadDirectory ? $wgUploadDirectory : "$root/images";
/** MediaWiki's own switch: while this file is there and not empty, the wiki can only be read. */
$intendant_lock = is_string( $wgReadOnlyFile ) && '' !== $wgReadOnlyFile ? $wgReadOnlyFile : "$wgUploadDirectory/lock_yBgMBwiR";

/** The file of a wiki on SQLite. */
function intendant_sqlite_file() {
	return rtrim( (string) $GLOBALS['wgSQLiteDataDir'], '/' ) . "/{$GLOBALS['wgDBname']}.sqlite";
}

/** Where MySQL listens, as MediaWiki itself reads $wgDBserver: array( host, port, socket ). */
function intendant_server( $server ) {
	$server = (string) $server;
	if ( preg_match( '/^\[([0-9a-fA-F:]+)\](?::([0-9]+))?$/', $server, $found ) ) {
		return array( $found[1], isset( $found[2] ) ? (int) $found[2] : null, null );
	}
	if ( preg_match( '/^([^:]*):(\/.*)$/', $server, $found ) ) {
		return array( $found[1], null, $found[2] );
	}
	if ( preg_match( '/^([^:]*):([0-9]+)$/', $server, $found ) ) {
		return array( $found[1], (int) $found[2], null );
	}
	return array( $server, null, null );
}
