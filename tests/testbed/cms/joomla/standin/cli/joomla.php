<?php
// STAND-IN for Joomla: its commands.
const _JEXEC = 1;
if ( file_exists( dirname( __DIR__ ) . '/defines.php' ) ) {
	require_once dirname( __DIR__ ) . '/defines.php';
}
if ( ! defined( '_JDEFINES' ) ) {
	define( 'JPATH_BASE', dirname( __DIR__ ) );
	require_once JPATH_BASE . '/includes/defines.php';
}
require_once JPATH_BASE . '/includes/framework.php';
$app                             = Joomla\CMS\Factory::getContainer()->get( Joomla\Console\Application::class );
Joomla\CMS\Factory::$application = $app;
$app->execute();
