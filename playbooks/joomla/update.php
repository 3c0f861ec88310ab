<?php
/**
 * Updates one extension with Joomla's own updater, as the button in the administration does; no version of Joomla has
 * a command for that. The version has to be the one that was planned.
 *
 *   php update.php ROOT URL KIND SLUG VERSION  or, as the version, `newest`: whatever is newer, if anything is
 *   php update.php ROOT URL languages          every translation for which there is a newer one
 */

require __DIR__ . '/common.php';
require __DIR__ . '/boot.php';

list( , $root, $url, $kind ) = $argv;
$root                        = rtrim( $root, '/' );
$db                          = new IntendantDatabase( intendant_config( $root ) );
$extensions                  = intendant_extensions( $db, $root );

/** The highest offer for an extension, as Joomla noted it. */
$offered = static function ( $id ) use ( $db ) {
	$best = null;
	foreach ( $db->rows( 'SELECT * FROM #__updates WHERE extension_id = ' . (int) $id ) as $row ) {
		$best = null === $best || version_compare( $row['version'], $best['version'], '>' ) ? $row : $best;
	}
	return $best;
};

if ( 'languages' === $kind ) {
	$worst = 0;
	foreach ( $extensions as $row ) {
		if ( 'language' === $row['kind'] && 'package' === $row['type'] && ! $row['shipped'] ) {
			$command = [ PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'memory_limit=512M', __FILE__, $root, $url, 'language', $row['slug'], 'newest' ];
			passthru( implode( ' ', array_map( 'escapeshellarg', $command ) ), $exit );
			$worst = max( $worst, $exit );
		}
	}
	exit( $worst );
}

list( , , , , $slug, $wanted ) = $argv;
$chosen                        = 0;
foreach ( $extensions as $id => $row ) {
	if ( ! $row['is_core'] && 0 === $chosen && $row['kind'] === $kind && $row['slug'] === $slug ) {
		$chosen = $id;
	}
}
if ( 0 === $chosen ) {
	intendant_fail( "$kind:$slug is not installed", 3 );
}

/** The work, inside Joomla. */
$work = static function ( $app ) use ( $root, $chosen, $extensions, $offered, $wanted, $kind, $slug ) {
	$say       = static function ( $text, $exit ) {
		fwrite( 0 === $exit ? STDOUT : STDERR, intendant_line( $text, 1000 ) . "\n" );
		return $exit;
	};
	$installer = 'Joomla\CMS\Installer\InstallerHelper';
	$component = \Joomla\CMS\Component\ComponentHelper::getParams( 'com_installer' );
	$stability = (int) $component->get( 'minimum_stability', 4 );
	// What Joomla remembers may be older than the inventory.
	\Joomla\CMS\Updater\Updater::getInstance()->findUpdates( [ $chosen ], 0, $stability );
	$offer = $offered( $chosen );
	if ( 'newest' === $wanted ) {
		if ( ! $offer && $app->getMessageQueue() ) {
			return $say( "$kind:$slug: its update service could not be asked", 1 );
		}
		if ( ! $offer || ! version_compare( $offer['version'], (string) intendant_version( $root, $extensions[ $chosen ] ), '>' ) ) {
			return $say( "$kind:$slug: nothing newer is offered", 0 );
		}
		$wanted = $offer['version'];
	}
	if ( ! $offer || $offer['version'] !== $wanted ) {
		return $say( "$kind:$slug: " . ( $offer ? "{$offer['version']} is offered now" : 'nothing is offered now' ) . "; $wanted was planned", 3 );
	}
	$update = new \Joomla\CMS\Updater\Update();
	if ( ! $update->loadFromXml( $offer['detailsurl'], $stability ) || ! isset( $update->get( 'downloadurl' )->_data ) ) {
		return $say( "$kind:$slug: the update service gives no package for $wanted", 1 );
	}
	$told = $update->get( 'version' );
	if ( isset( $told->_data ) && trim( $told->_data ) !== $wanted ) {
		return $say( "$kind:$slug: the package is of version {$told->_data}; $wanted was planned", 3 );
	}
	$update->set( 'extra_query', $offer['extra_query'] );

	// An extension may add its licence to the download.
	$database = method_exists( '\Joomla\CMS\Factory', 'getContainer' ) ? \Joomla\CMS\Factory::getContainer()->get( 'DatabaseDriver' ) : \Joomla\CMS\Factory::getDbo();
	$table    = new \Joomla\CMS\Table\Update( $database );
	$table->load( $offer['update_id'] );
	$row    = $extensions[ $chosen ];
	$helper = null;
	if ( 'component' === $row['type'] ) {
		$name   = str_replace( 'com_', '', $row['element'] );
		$helper = [ JPATH_ADMINISTRATOR . "/components/{$row['element']}/helpers/$name.php", ucfirst( $name ) . 'Helper' ];
	} elseif ( 'module' === $row['type'] ) {
		$helper = [ ( (int) $row['client_id'] ? JPATH_ADMINISTRATOR : JPATH_SITE ) . "/modules/{$row['element']}/helper.php", str_replace( '_', '', $row['element'] ) . 'Helper' ];
	} elseif ( 'plugin' === $row['type'] ) {
		\Joomla\CMS\Plugin\PluginHelper::importPlugin( $row['folder'], str_replace( 'plg_', '', $row['element'] ) );
	}
	if ( $helper && is_file( $helper[0] ) ) {
		require_once $helper[0];
		if ( class_exists( $helper[1] ) && is_callable( [ $helper[1], 'prepareUpdate' ] ) ) {
			call_user_func_array( [ $helper[1], 'prepareUpdate' ], [ &$update, &$table ] );
		}
	}
	\Joomla\CMS\Plugin\PluginHelper::importPlugin( 'installer' );

	// The package, or one of its mirrors.
	$query = trim( (string) $update->get( 'extra_query' ) );
	$names = [ trim( $update->get( 'downloadurl' )->_data ) ];
	foreach ( (array) $update->get( 'downloadSources', [] ) as $mirror ) {
		$names[] = trim( $mirror->url );
	}
	$file = false;
	foreach ( array_slice( $names, 0, 10 ) as $name ) {
		$file = $file ?: $installer::downloadPackage( $name . ( '' === $query ? '' : ( false === strpos( $name, '?' ) ? '?' : '&' ) . $query ) );
	}
	if ( ! $file ) {
		return $say( "$kind:$slug: the package of $wanted can't be downloaded from " . parse_url( $names[0], PHP_URL_HOST ), 1 );
	}
	$package = $installer::unpack( rtrim( $app->get( 'tmp_path' ), '/' ) . '/' . $file );
	if ( ! is_array( $package ) || empty( $package['type'] ) ) {
		return $say( "$kind:$slug: the package of $wanted is none that Joomla can unpack", 1 );
	}
	try {
		if ( $installer::HASH_NOT_VALIDATED === $installer::isChecksumValid( $package['packagefile'], $update ) ) {
			return $say( "$kind:$slug: the package of $wanted is not the one that the update service means: its checksum differs", 1 );
		}
		$done = \Joomla\CMS\Installer\Installer::getInstance()->update( $package['dir'] );
	} finally {
		$installer::cleanupInstall( $package['packagefile'], $package['extractdir'] );
	}
	if ( ! $done ) {
		return $say( "$kind:$slug: Joomla could not install $wanted", 1 );
	}
	$table->delete( $offer['update_id'] );
	return $say( "$kind:$slug: Joomla says that $wanted is installed", 0 );
};

intendant_boot( $root, $url, $work );
