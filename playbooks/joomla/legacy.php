<?php
/**
 * Joomla 3.10 has no commands. This stands for those of Joomla 4 that the other scripts use, and says what those say:
 *
 *   php legacy.php ROOT update:extensions:check | core:check-updates | cache:clean
 */

require __DIR__ . '/common.php';
require __DIR__ . '/boot.php';

list( , $root, $command ) = $argv;
$root                     = rtrim( $root, '/' );
$config                   = intendant_config( $root );
$url                      = ! empty( $config['live_site'] ) ? $config['live_site'] : 'http://localhost/';

if ( ! in_array( $command, [ 'update:extensions:check', 'core:check-updates', 'cache:clean' ], true ) ) {
	echo "\n Command \"$command\" is not defined.\n";
	exit( 1 );
}

intendant_boot(
	$root,
	$url,
	static function ( $app ) use ( $command, $root, $config ) {
		if ( 'cache:clean' === $command ) {
			foreach ( [ JPATH_CACHE, JPATH_ADMINISTRATOR . '/cache' ] as $folder ) {
				JCache::getInstance( '', [ 'cachebase' => $folder ] )->clean();
				foreach ( JCache::getInstance( '', [ 'cachebase' => $folder ] )->getAll() ?: [] as $group ) {
					JCache::getInstance( '', [ 'cachebase' => $folder, 'defaultgroup' => $group->group ] )->clean( $group->group );
				}
			}
			echo "\nCleaning System Cache\n=====================\n\n [OK] Cache cleaned\n";
			return 0;
		}
		if ( 'update:extensions:check' === $command ) {
			echo "\nFetching Extension Updates\n==========================\n";
			JUpdater::getInstance()->findUpdates( 0, 0, (int) JComponentHelper::getParams( 'com_installer' )->get( 'minimum_stability', 4 ) );
			return 0;
		}
		$db    = new IntendantDatabase( $config );
		$offer = $db->rows( "SELECT u.version FROM #__updates u JOIN #__extensions e ON e.extension_id = u.extension_id WHERE e.type = 'file' AND e.element = 'joomla'" );
		$newer = $offer && version_compare( $offer[0]['version'], JVERSION, '>' );
		echo "\nJoomla! Updates\n===============\n\n ", $newer ? "! [NOTE] New Joomla Version {$offer[0]['version']} is available." : '[OK] You already have the latest Joomla version ' . JVERSION, "\n";
		return 0;
	}
);
