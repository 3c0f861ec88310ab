<?php
/** The configuration of a restored copy, for boot.php: the site's own, and then whatever could leave the copy is taken away. */

require getenv( 'INTENDANT_ROOT' ) . '/LocalSettings.php';

foreach ( array( '\MediaWiki\Registration\ExtensionRegistry', '\ExtensionRegistry' ) as $intendant_class ) {
	if ( class_exists( $intendant_class ) ) {
		// Nothing of extensions and skins is loaded, not even their configuration.
		$intendant_class::getInstance()->clearQueue();
		break;
	}
}
$wgDBname = getenv( 'INTENDANT_DATABASE' );
if ( is_array( $wgDBservers ) && isset( $wgDBservers[0] ) ) {
	$wgDBservers              = array( $wgDBservers[0] );
	$wgDBservers[0]['dbname'] = $wgDBname;
}
$wgReadOnly           = 'This is a copy.';
$wgHooks              = array();
$wgExtensionFunctions = array();
$wgUploadDirectory    = "$IP/images";
$wgCacheDirectory     = false;
$wgLocalisationCacheConf = array( 'class' => 'LocalisationCache', 'store' => 'array', 'storeClass' => 'LCStoreNull', 'storeDirectory' => false, 'manualRecache' => false );
$wgMainCacheType      = CACHE_NONE;
$wgMessageCacheType   = CACHE_NONE;
$wgParserCacheType    = CACHE_NONE;
$wgSessionCacheType   = CACHE_NONE;
$wgMainWANCache       = false;
$wgMainStash          = CACHE_NONE;
$wgEnableEmail        = false;
$wgDebugLogFile       = '';
$wgDebugLogGroups     = array();
$wgJobRunRate         = 0;
$wgPingback           = false;
$wgUseCdn             = false;
