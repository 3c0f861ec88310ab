<?php
/**
 * STAND-IN for Joomla: installs it into the empty database, with its own installer for the extensions.
 */

define( '_JEXEC', 1 );
define( 'JPATH_BASE', getcwd() );
require JPATH_BASE . '/includes/defines.php';
require JPATH_BASE . '/includes/framework.php';
use Joomla\CMS\Installer\Installer;
use Joomla\CMS\Installer\InstallerHelper;
use Joomla\Standin\Site;

Site::link()->multi_query( file_get_contents( __DIR__ . '/tables.sql' ) );
while ( Site::link()->more_results() ) {
	Site::link()->next_result();
}
Joomla\CMS\Factory::$application = Joomla\CMS\Factory::getContainer()->get( 'application' );
foreach ( [ 'tbdemo', 'tblicensed', 'tbshop', 'de-DE' ] as $name ) {
	copy( getenv( 'SOURCES' ) . "/first/$name.zip", JPATH_BASE . "/tmp/$name.zip" );
	$package = InstallerHelper::unpack( JPATH_BASE . "/tmp/$name.zip" );
	if ( ! $package || ! Installer::getInstance()->install( $package['dir'] ) ) {
		fwrite( STDERR, "$name can't be installed\n" );
		exit( 1 );
	}
	InstallerHelper::cleanupInstall( $package['packagefile'], $package['extractdir'] );
}
